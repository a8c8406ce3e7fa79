use alloc::format;

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
