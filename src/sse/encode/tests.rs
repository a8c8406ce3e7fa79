use super::*;
use crate::wire::Slice;
use alloc::vec::Vec;
use core::time::Duration;

fn encoded(event: Event<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    event.encode(&mut out).unwrap();
    assert_eq!(out.len(), event.encoded_len());
    assert!(out.len() <= event.most());
    out
}

#[test]
fn data_is_split_at_every_kind_of_line_end() {
    let text = encoded(Event::new("a\nb\rc\r\nd\n\re\n"));
    let lines = ["a", "b", "c", "d", "", "e", ""];
    let expected: Vec<u8> = lines
        .iter()
        .flat_map(|line| [b"data: ", line.as_bytes(), b"\n"].concat())
        .chain(*b"\n")
        .collect();
    assert_eq!(text, expected);
}

#[test]
fn no_type_or_id_can_forge_a_line() {
    for evil in ["a\ndata: x", "a\rdata: x", "a\r\n", "\0", "a\0b", "\n"] {
        let mut out = Vec::new();
        let event = Event::new("x").event(evil);
        assert_eq!(event.encode(&mut out), Err(UsageError::Event), "{evil:?}");
        assert_eq!(
            Event::new("x").id(evil).encode(&mut out),
            Err(UsageError::Id)
        );
        assert!(out.is_empty());
    }
}

#[test]
fn no_comment_can_forge_a_field() {
    let mut out = Vec::new();
    encode_comment("hi\ndata: x\r\r\nid: 1", &mut out).unwrap();
    assert_eq!(out, b": hi\n: data: x\n: \n: id: 1\n\n");
}

#[test]
fn blocks_without_data_carry_the_other_fields() {
    let bye = Event::EMPTY.retry(Duration::from_millis(1500));
    assert_eq!(encoded(bye), b"retry: 1500\n\n");
    assert_eq!(
        encoded(Event::EMPTY.retry(Duration::MAX)),
        b"retry: 18446744073709551615\n\n"
    );
    assert_eq!(encoded(Event::EMPTY.id("")), b"id: \n\n");
}

#[test]
fn a_block_is_written_whole_or_not_at_all() {
    let event = Event::new("a\nb").id("1");
    for room in 0..event.encoded_len() {
        let mut memory = [0; 64];
        let mut out = Slice::new(&mut memory[..room]);
        assert_eq!(event.encode(&mut out), Err(UsageError::NoRoom));
        assert!(out.written().is_empty());
    }
    let mut memory = [0; 64];
    assert_eq!(
        event.encode(&mut Slice::new(&mut memory[..event.encoded_len()])),
        Ok(())
    );
    let mut out = Slice::new(&mut memory[..4]);
    assert_eq!(encode_comment("ab", &mut out), Err(UsageError::NoRoom));
    assert_eq!(encode_comment("", &mut out), Ok(()));
}
