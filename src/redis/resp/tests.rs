use alloc::vec;
use alloc::vec::Vec;

use super::*;

fn end(input: &[u8]) -> Result<Option<usize>, ReplyError> {
    Framer::new(1 << 16).end(input)
}

const PUSH: &[u8] = b">3\r\n$8\r\nsmessage\r\n$1\r\nc\r\n$4\r\na\r\nb\r\n";

#[test]
fn a_reply_ends_where_it_ends_however_it_is_cut() {
    let replies: [&[u8]; 9] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":-12\r\n",
        b"_\r\n",
        b"$-1\r\n",
        b"*0\r\n",
        b"%1\r\n+a\r\n*2\r\n:1\r\n~1\r\n#t\r\n",
        b"=7\r\ntxt:abc\r\n",
        PUSH,
    ];
    for reply in replies {
        let with_more = [reply, b"+next\r\n"].concat();
        let mut framer = Framer::new(1 << 16);
        for cut in 0..reply.len() {
            assert_eq!(framer.end(&with_more[..cut]), Ok(None), "{reply:?} {cut}");
        }
        assert_eq!(framer.end(&with_more), Ok(Some(reply.len())));
        assert_eq!(framer.end(b"+next\r\n"), Ok(Some(7)));
    }
}

#[test]
fn a_reply_that_lies_or_is_too_much_is_an_error_and_takes_no_memory() {
    use ReplyError::{Malformed, TooDeep, TooLong};
    let deep = b"*1\r\n".repeat(9);
    let long = [b"+".as_slice(), &[b'a'; 5_000]].concat();
    let cases: [(&[u8], ReplyError); 15] = [
        (b"$99999999999999\r\n", TooLong),
        (b"*99999999999999\r\n", TooLong),
        (b"%9223372036854775807\r\n", TooLong),
        (b"$9223372036854775808\r\n", Malformed),
        (b"$-2\r\n", Malformed),
        (b"~-1\r\n", Malformed),
        (b"$1\r\nabc", Malformed),
        (b"$?\r\n", Malformed),
        (b"$\r\n", Malformed),
        (b"+a\rb", Malformed),
        (b"GET", Malformed),
        (b"GET\r\n", Malformed),
        (b"*1\r\n>0\r\n", Malformed),
        (&deep, TooDeep),
        (&long, Malformed),
    ];
    for (input, error) in cases {
        let outcome = end(input);
        let is_open = input == b"GET"; // no line yet
        match is_open {
            true => assert_eq!(outcome, Ok(None)),
            false => assert_eq!(
                outcome,
                Err(error),
                "{:?}",
                input.escape_ascii().to_string()
            ),
        }
    }
    let mut framer = Framer::new(10);
    assert_eq!(framer.end(b"*3\r\n+abc\r\n+abc\r\n"), Err(TooLong));
}

use alloc::string::ToString;

#[test]
fn tokens_come_one_after_the_other() {
    let mut reply = Reply::new(PUSH);
    let expected = [
        Token::Push(3),
        Token::Bytes(b"smessage"),
        Token::Bytes(b"c"),
        Token::Bytes(b"a\r\nb"),
    ];
    let tokens: Vec<Token<'_>> = core::iter::from_fn(|| reply.token()).collect();
    assert_eq!(tokens, expected);
    let all = b"*9\r\n:7\r\n$2\r\n12\r\n#f\r\n,1.5\r\n_\r\n!3\r\nERR\r\n%1\r\n+k\r\n$-1\r\n";
    let mut reply = Reply::new(all);
    assert_eq!(reply.array(), Some(9));
    assert_eq!((reply.integer(), reply.integer()), (Some(7), Some(12)));
    let rest: Vec<Token<'_>> = core::iter::from_fn(|| reply.token()).collect();
    let expected = vec![
        Token::Boolean(false),
        Token::Number(b"1.5"),
        Token::Null,
        Token::Error(b"ERR"),
        Token::Array(2),
        Token::Bytes(b"k"),
        Token::Null,
    ];
    assert_eq!(rest, expected);
}
