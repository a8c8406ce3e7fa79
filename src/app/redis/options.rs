//! Options of a backplane: addresses, credentials, memory.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::redis_limits::RedisLimits;
use crate::net::{Destination, Error};
#[cfg(feature = "tls")]
use crate::tls;
use crate::wire::builder;

/// The treatment of publications while the server cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhileRedisAway {
    /// It waits, as [`RedisLimits`] allow, and is sent when the server is back.
    #[default]
    Queue,
    /// It is refused: [`ChannelError::Unavailable`](crate::app::ChannelError::Unavailable).
    Refuse,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    Direct,
    /// The addresses are Sentinels', which know the primary of this name.
    Sentinel(String),
    Cluster,
}

/// Where Redis is, and how it is used.
///
/// ```
/// use barewire::app::RedisOptions;
///
/// let one: RedisOptions = "redis://127.0.0.1:6379".parse().unwrap();
/// let many = RedisOptions::at("10.0.0.1:26379").unwrap().and("10.0.0.2:26379").unwrap();
/// let many = many.sentinel("primary").user("chat").password("secret");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RedisOptions {
    pub(crate) destinations: Vec<Destination>,
    pub(crate) way: Way,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: u32,
    pub(crate) prefix: String,
    pub(crate) is_durable: bool,
    pub(crate) away: WhileRedisAway,
    pub(crate) limits: RedisLimits,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<tls::Client>,
    is_secure: bool,
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("destinations", &self.destinations)
            .field("way", &self.way)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl RedisOptions {
    /// A server at this address: `HOST:PORT`, or `unix:PATH`.
    ///
    /// # Errors
    /// [`Error::Address`] if it is none.
    pub fn at(address: &str) -> Result<Self, Error> {
        Ok(Self {
            destinations: alloc::vec![address.parse()?],
            way: Way::Direct,
            user: String::new(),
            password: String::new(),
            database: 0,
            prefix: String::from("barewire"),
            is_durable: false,
            away: WhileRedisAway::Queue,
            limits: RedisLimits::DEFAULT,
            #[cfg(feature = "tls")]
            tls: None,
            is_secure: false,
        })
    }

    /// A further address, which is tried where others fail.
    ///
    /// # Errors
    /// [`Error::Address`] if it is none.
    pub fn and(mut self, address: &str) -> Result<Self, Error> {
        self.destinations.push(address.parse()?);
        Ok(self)
    }

    builder! {
        /// The addresses are those of Sentinels, which are asked for the primary of this name.
        fn sentinel(primary: &str) => way = Way::Sentinel(String::from(primary));

        /// The addresses are some of a cluster's, which knows the others.
        fn cluster() => way = Way::Cluster;

        /// The user; without, the default user.
        fn user(user: &str) => user = String::from(user);

        /// The password; without, none is given.
        fn password(password: &str) => password = String::from(password);

        /// The database. A cluster has database 0 alone.
        const fn database(number: u32) => database = number;

        /// Sets the beginning of all names of keys and channels. Default `barewire`.
        fn prefix(prefix: &str) => prefix = String::from(prefix);

        /// Declares that the server never forgets what it has answered (`appendonly yes` and
        /// `appendfsync always`): epochs outlive its restarts. Without, each restart and each
        /// promotion of a replica begins new epochs, so that nothing is missed silently.
        const fn durable() => is_durable = true;

        /// Sets the treatment of publications while the server is away. By default they wait.
        const fn while_away(away: WhileRedisAway) => away = away;

        /// How much is kept, and for how long is waited.
        const fn limits(limits: RedisLimits) => limits = limits;

        /// Goes over TLS.
        #[cfg(feature = "tls")]
        fn tls(client: tls::Client) => tls = Some(client);
    }

    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.limits.check()?;
        if self.prefix.contains(['{', '}']) {
            return Err(Error::Config("a prefix of Redis keys has no braces"));
        }
        if self.way == Way::Cluster && self.database != 0 {
            return Err(Error::Config("a cluster of Redis has database 0 alone"));
        }
        #[cfg(feature = "tls")]
        if self.is_secure && self.tls.is_none() {
            self.tls = Some(tls::Client::new(tls::ClientOptions::new())?);
        }
        if cfg!(not(feature = "tls")) && self.is_secure {
            return Err(Error::Config("`rediss` needs the feature `tls`"));
        }
        Ok(())
    }
}

impl FromStr for RedisOptions {
    type Err = Error;

    /// `redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]`; `rediss` goes over TLS.
    fn from_str(url: &str) -> Result<Self, Error> {
        const FAULT: Error =
            Error::Config("expected redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]");
        let (scheme, rest) = url.split_once("://").ok_or(FAULT)?;
        let is_secure = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err(FAULT),
        };
        let (rest, database) = match rest.split_once('/') {
            Some((rest, "")) => (rest, 0),
            Some((rest, number)) => (rest, number.parse().map_err(|_| FAULT)?),
            None => (rest, 0),
        };
        let (who, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let has_port = place.rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit())
        });
        let options = match has_port {
            true => Self::at(place)?,
            false => Self::at(&alloc::format!("{place}:6379"))?,
        };
        let decode = |text: &str| decoded(text).ok_or(FAULT);
        Ok(Self {
            user: decode(user)?,
            password: decode(password)?,
            database,
            is_secure,
            ..options
        })
    }
}

/// Without `%` and two digits in place of bytes.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(match byte {
            b'%' => (digit()? * 16 + digit()?) as u8,
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_url_says_where_and_who() {
        let options: RedisOptions = "redis://a%40:p%3aw@h:7/3".parse().unwrap();
        let place = format!("{:?}", options.destinations);
        assert!(place.contains("\"h\"") && place.contains('7'), "{place}");
        assert_eq!((&*options.user, &*options.password), ("a@", "p:w"));
        assert_eq!((options.database, options.is_secure), (3, false));
        assert!("rediss://[::1]".parse::<RedisOptions>().unwrap().is_secure);
        for bad in ["http://h", "redis://h/x", "redis://%zz@h", "h:1"] {
            assert!(bad.parse::<RedisOptions>().is_err(), "{bad}");
        }
        assert!(!format!("{options:?}").contains("p:w"));
    }
}
