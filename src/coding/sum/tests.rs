use super::*;
use alloc::vec::Vec;

#[test]
fn a_sum_is_that_of_all_of_the_text() {
    let text: Vec<u8> = (0..1000_u32).map(|it| ((it * it) >> 3) as u8).collect();
    for at in [0, 1, 2, 499, 998, 1000] {
        let (first, second) = text.split_at(at);
        let appended = Appended::new(second);
        let (sum, length) = appended.behind(crc32(0, first), first.len() as u32);
        assert_eq!((sum, length), (crc32(0, &text), 1000), "{at}");
    }
}
