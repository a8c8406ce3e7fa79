//! Replies of Redis: the law of splits, and messages that are read as they are written.

use super::input::pieces;
use barewire::redis::{Incoming, Message, Reply, ReplyError, Session, Token};

/// What comes of these pieces, and whether they end in an error.
fn read(all: &[&[u8]]) -> (Vec<String>, bool) {
    let mut session = Session::new(4_000);
    for number in 0..8 {
        session.asked(number);
    }
    let mut seen = Vec::new();
    for piece in all {
        let taken: Result<(), ReplyError> = session.receive(piece, |_, incoming| {
            let (what, reply) = match incoming {
                Incoming::Reply(number, reply) => (number, reply),
                Incoming::Push(reply) => (-1, reply),
                Incoming::Message {
                    channel,
                    message: published,
                } => {
                    message(published);
                    seen.push(format!("{channel:?} {published:?}"));
                    return Ok(());
                }
            };
            seen.push(format!("{what} {:?}", tokens(reply)));
            Ok(())
        });
        if taken.is_err() {
            return (seen, true);
        }
    }
    (seen, false)
}

fn tokens(mut reply: Reply<'_>) -> Vec<Token<'_>> {
    let tokens: Vec<Token<'_>> = core::iter::from_fn(|| reply.token()).collect();
    for token in &tokens {
        if let Token::Bytes(bytes) = token {
            message(bytes);
        }
    }
    tokens
}

fn message(bytes: &[u8]) {
    if let Some(message) = Message::parse(bytes) {
        let written = message.encode();
        assert_eq!(Message::parse(&written), Some(message));
    }
}

/// Replies, however they are cut; and messages.
pub fn replies(data: &[u8]) {
    let Some((&manner, data)) = data.split_first() else {
        return;
    };
    message(data);
    assert_eq!(read(&pieces(data, manner)), read(&[data]));
}
