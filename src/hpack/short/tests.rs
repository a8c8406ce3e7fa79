use super::*;

#[test]
fn every_length_is_compared_and_copied_in_whole() {
    let text: std::vec::Vec<u8> = (1..=70).collect();
    for len in 0..text.len() {
        let text = &text[..len];
        let mut other = [0xff; 72];
        assert_eq!(copy(text, &mut other[..len]), Some(()));
        assert_eq!((&other[..len], other[len]), (text, 0xff));
        assert!(same(text, &other[..len]));
        assert!(!same(text, &other[..=len]));
        for at in 0..len {
            other[at] ^= 1;
            assert!(!same(text, &other[..len]), "{len} {at}");
            other[at] ^= 1;
        }
        if len > 0 {
            assert_eq!(copy(text, &mut other[..len - 1]), None);
        }
    }
}
