use alloc::{format, vec};

use super::*;

#[test]
fn answers_come_to_what_was_asked_in_its_order_and_pushes_between() {
    let input = b"+a\r\n>1\r\n+x\r\n:2\r\n";
    for cut in 0..=input.len() {
        let mut session = Session::new(100);
        session.asked("first");
        session.asked("second");
        let mut seen = Vec::new();
        for piece in [&input[..cut], &input[cut..]] {
            let taken = session.receive(piece, |_, incoming| {
                let (what, mut reply) = match incoming {
                    Incoming::Reply(what, reply) => (what, reply),
                    Incoming::Push(mut reply) => {
                        reply.token();
                        ("push", reply)
                    }
                    Incoming::Message { .. } => unreachable!(),
                };
                seen.push(format!("{what} {:?}", reply.token().unwrap()));
                Ok(())
            });
            assert_eq!(taken, Ok(()));
        }
        let expected = [
            "first Bytes([97])",
            "push Bytes([120])",
            "second Integer(2)",
        ];
        assert_eq!(seen, expected);
        let unasked = session.receive(b"+more\r\n", |_, _| Ok(()));
        assert_eq!(unasked, Err(ReplyError::Unasked));
    }
}

#[test]
fn a_command_is_an_array_of_strings() {
    let mut out = Vec::new();
    put_command(&mut out, &[b"PING", b"", b"a\r\n"]);
    assert_eq!(out, b"*3\r\n$4\r\nPING\r\n$0\r\n\r\n$3\r\na\r\n\r\n");
}

#[test]
fn a_message_is_the_same_however_it_is_cut() {
    let input = b">3\r\n$8\r\nsmessage\r\n$2\r\nc\n\r\n$3\r\na\r\n\r\n:1\r\n";
    for cut in 0..=input.len() {
        let (mut session, mut seen) = (Session::new(100), Vec::new());
        session.asked(7);
        for piece in [&input[..cut], &input[cut..]] {
            let taken = session.receive(piece, |_, incoming| {
                seen.push(match incoming {
                    Incoming::Message { channel, message } => (channel.to_vec(), message.to_vec()),
                    Incoming::Reply(what, _) => (vec![what], Vec::new()),
                    Incoming::Push(_) => unreachable!(),
                });
                Ok(())
            });
            assert_eq!(taken, Ok(()));
        }
        let expected = [(b"c\n".to_vec(), b"a\r\n".to_vec()), (vec![7], Vec::new())];
        assert_eq!(seen, expected, "{cut}");
    }
    let long = format!(
        ">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$90\r\n{}\r\n",
        "x".repeat(90)
    );
    let mut session = Session::<()>::new(100);
    let taken = session.receive(long.as_bytes(), |_, _| Ok(()));
    assert_eq!(taken, Err(ReplyError::TooLong));
}
