use super::*;
use alloc::vec::Vec;

const RULES: Rules<'_> = Rules {
    role: Role::Server,
    is_greeted: true,
    frame: 16_384,
    limits: &Limits::DEFAULT,
};

fn frame(kind: Kind, flags: u8, payload: &[u8]) -> Vec<u8> {
    let head = Head::new(kind, flags, 1, payload.len()).encode();
    [&head, payload].concat()
}

#[test]
fn the_fragments_of_a_block_are_put_together_in_front_of_the_next_frame() {
    let mut input = [
        frame(Kind::Headers, frame::PADDED, b"\x02abc\0\0"),
        frame(Kind::Continuation, 0, b""),
        frame(Kind::Continuation, frame::END_HEADERS, b"de"),
        frame(Kind::Ping, 0, b""),
    ]
    .concat();
    let (mut reading, mut at) = (Reading::Head, 0);
    let mut octets = Vec::new();
    for is_last in [false, false, true] {
        let start = at;
        let read = reading.frame(&mut input[start..], &mut at, &RULES).unwrap();
        let (Read::Part(block, place) | Read::Block(block, place)) = read.clone() else {
            panic!("{read:?}");
        };
        assert_eq!(matches!(read, Read::Block(..)), is_last);
        assert_eq!(block.assembled as usize, place.len());
        octets = input[start..][place].to_vec();
    }
    assert_eq!(octets, b"abcde");
    assert_eq!(reading, Reading::Head);
    assert_eq!(input[at..].len(), HEAD);
}

#[test]
fn a_frame_that_is_cut_uses_nothing() {
    let whole = frame(Kind::RstStream, 0, &[0; 4]);
    for cut in 0..whole.len() {
        let (mut reading, mut at, mut input) = (Reading::Head, 0, whole[..cut].to_vec());
        let read = reading.frame(&mut input, &mut at, &RULES).unwrap();
        let Read::Need { more, begun } = read else {
            panic!("{read:?}");
        };
        assert!(more > 0 && cut + more <= whole.len());
        assert_eq!((begun, at, reading), (cut > 0, 0, Reading::Head));
    }
}
