//! What is sent: the same content for all, as text of JSON, and as Protocol Buffers where a
//! protocol has those.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What one message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Payload {
    /// 16 bytes.
    Tiny,
    /// 1 KiB.
    Kib,
    /// 64 KiB.
    Large,
    /// Twenty users.
    Users,
}

/// How many users a list has.
const USERS: usize = 20;

/// How many contents each payload has: more than the 32 KiB of deflate's window hold of 1 KiB.
/// A message that came before costs next to nothing compressed; here none did just now.
pub const VARIANTS: usize = 64;

static TINY: LazyLock<Vec<String>> = LazyLock::new(|| variants(|at| numbers(16, at)));
static KIB: LazyLock<Vec<String>> = LazyLock::new(|| variants(|at| numbers(1 << 10, at)));
static LARGE: LazyLock<Vec<String>> = LazyLock::new(|| variants(|at| numbers(64 << 10, at)));
static LIST: LazyLock<Vec<String>> =
    LazyLock::new(|| variants(|at| serde_json::to_string(&users(at)).unwrap_or_default()));

fn variants(make: fn(usize) -> String) -> Vec<String> {
    (0..VARIANTS).map(make).collect()
}

impl Payload {
    /// All of them, the smallest first.
    pub const ALL: [Self; 4] = [Self::Tiny, Self::Kib, Self::Large, Self::Users];

    /// As it stands in tables, options and URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tiny => "16B",
            Self::Kib => "1KiB",
            Self::Large => "64KiB",
            Self::Users => "users",
        }
    }

    /// The payload of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Its text, which is JSON.
    pub fn text(self) -> &'static str {
        self.variant(0)
    }

    /// Another text of the same length and kind.
    pub fn variant(self, nth: usize) -> &'static str {
        let all = match self {
            Self::Tiny => &TINY,
            Self::Kib => &KIB,
            Self::Large => &LARGE,
            Self::Users => &LIST,
        };
        &all[nth % VARIANTS]
    }
}

/// An array of numbers in JSON, of exactly so many bytes. Its digits look random, so that it
/// is compressed as numbers are; and it has no quotes, which JSON would escape in a string.
fn numbers(bytes: usize, seed: usize) -> String {
    let mut text = String::with_capacity(bytes);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed as u64 + 1);
    text.push('[');
    while text.len() + 1 < bytes {
        let left = bytes - 1 - text.len();
        let digits = if left <= 8 { left } else { 6 };
        for at in 0..digits {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let digit = if at == 0 { 1 + state % 9 } else { state % 10 };
            text.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
        }
        if left > 8 {
            text.push(',');
        }
    }
    text.push(']');
    text
}

/// A text as a message of gRPC and Connect.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub struct Text {
    #[prost(string, tag = "1")]
    pub body: String,
}

impl Text {
    /// The text of a payload.
    pub fn of(payload: Payload) -> Self {
        let body = payload.text().to_owned();
        Self { body }
    }
}

/// One of the users.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub struct User {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub email: String,
    #[prost(int32, tag = "4")]
    pub age: i32,
    #[prost(string, repeated, tag = "5")]
    pub roles: Vec<String>,
}

/// A list of users.
#[derive(Clone, PartialEq, Eq, prost::Message, Serialize, Deserialize)]
pub struct Users {
    #[prost(message, repeated, tag = "1")]
    pub users: Vec<User>,
}

/// A list that is asked for.
pub fn users(seed: usize) -> Users {
    let one = |at: usize| {
        let number = 10_000 + seed * USERS + at;
        User {
            id: format!("user_{number}"),
            name: format!("Person Number {number}"),
            email: format!("person.{number}@example.com"),
            age: 20 + i32::try_from(at).unwrap_or(0),
            roles: vec!["reader".into(), "editor".into()],
        }
    };
    Users {
        users: (1..=USERS).map(one).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_the_length_that_their_name_says_and_are_json() {
        for (payload, bytes) in [
            (Payload::Tiny, 16),
            (Payload::Kib, 1 << 10),
            (Payload::Large, 64 << 10),
        ] {
            assert_eq!(payload.text().len(), bytes);
            assert_ne!(payload.text(), payload.variant(1));
            assert_eq!(payload.variant(63).len(), bytes);
            let numbers: Vec<u64> = serde_json::from_str(payload.text()).unwrap();
            assert!(!numbers.is_empty());
        }
    }
}
