//! The reaction to an error that a server answers with.

use alloc::string::String;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// The slot is elsewhere: there it is sent again, and so is all of that slot.
    Moved(String),
    /// This once it is sent there.
    Ask(String),
    /// The server does not know the script: it is sent with its text.
    Script,
    /// The server cannot do it now: it is sent again a little later.
    Again,
    Reconnect,
    Refused,
}

impl Reaction {
    pub(crate) fn to(error: &[u8]) -> Self {
        let text = core::str::from_utf8(error).unwrap_or_default();
        let mut words = text.split(' ');
        let address = |mut words: core::str::Split<'_, char>| words.nth(1).map(String::from);
        match words.next().unwrap_or_default() {
            "MOVED" => address(words).map_or(Self::Again, Self::Moved),
            "ASK" => address(words).map_or(Self::Again, Self::Ask),
            "NOSCRIPT" => Self::Script,
            "LOADING" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN" | "NOREPLICAS" => Self::Again,
            // A replica, and none that knows its primary: another may be the primary.
            "READONLY" | "MASTERDOWN" | "NOAUTH" | "UNBLOCKED" => Self::Reconnect,
            _ => Self::Refused, // NOPERM, OOM, MISCONF, WRONGTYPE, CROSSSLOT, ERR ...
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_reaction() {
        let moved = Reaction::Moved("10.0.0.1:7000".into());
        assert_eq!(Reaction::to(b"MOVED 3999 10.0.0.1:7000"), moved);
        assert_eq!(Reaction::to(b"MOVED"), Reaction::Again);
        let reactions = [
            (&b"ASK 1 h:1"[..], Reaction::Ask("h:1".into())),
            (b"NOSCRIPT No matching script.", Reaction::Script),
            (b"LOADING Redis is loading", Reaction::Again),
            (b"BUSY Redis is busy", Reaction::Again),
            (b"CLUSTERDOWN Hash slot not served", Reaction::Again),
            (b"TRYAGAIN Multiple keys request", Reaction::Again),
            (b"NOREPLICAS Not enough good replicas", Reaction::Again),
            (b"READONLY You can't write", Reaction::Reconnect),
            (b"MASTERDOWN Link with MASTER is down", Reaction::Reconnect),
            (b"MISCONF Redis is configured to save", Reaction::Refused),
            (b"NOAUTH Authentication required.", Reaction::Reconnect),
            (b"NOPERM this user", Reaction::Refused),
            (b"OOM command not allowed", Reaction::Refused),
            (b"\xff", Reaction::Refused),
        ];
        for (error, reaction) in reactions {
            assert_eq!(Reaction::to(error), reaction, "{}", error.escape_ascii());
        }
    }
}
