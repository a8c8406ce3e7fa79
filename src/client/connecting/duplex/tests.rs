#[cfg(unix)]
mod with_alarms {
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    use super::super::*;
    use crate::client::Connection;
    use crate::link::Limits;

    /// Has no use for anything.
    struct Nobody;

    impl DuplexOwner for Nobody {
        fn event(&mut self, _: &mut Wire, _: u32, _: Event<'_>) {}

        fn has_news(&self) -> bool {
            false
        }

        fn is_held(&self, _: &Wire) -> bool {
            false
        }

        fn takes_more(&self) -> bool {
            true
        }
    }

    #[test]
    fn an_alarm_ends_a_turn_though_bytes_that_are_no_news_come_with_it() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let connection = Connection::http2(Limits::DEFAULT, clock::now());
        let driven = Driven::new(connection, Socket::new(ours).unwrap());
        let duplex = Duplex::new(driven, Nobody, Duration::MAX);
        duplex.share().unwrap();
        theirs.write_all(b"\0\0\0\x04\0\0\0\0\0").unwrap(); // SETTINGS
        duplex.alarm();
        let until = clock::now() + Duration::from_secs(5);
        assert_eq!(duplex.turn(until), Waited::Moved);
    }
}
