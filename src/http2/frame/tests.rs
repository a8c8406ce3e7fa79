use super::*;

#[test]
fn every_head_survives_a_round_trip() {
    for kind in 0..=255 {
        let head = Head::new(Kind::new(kind), !kind, 0x1234_5678, 0xab_cdef);
        assert_eq!(head.encode()[3], kind);
        assert_eq!(Head::decode(&head.encode()), Some(head));
    }
    assert_eq!(Head::decode(&[0; 8]), None);
    let reserved = [0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(Head::decode(&reserved).unwrap().stream, MAX_31);
}
