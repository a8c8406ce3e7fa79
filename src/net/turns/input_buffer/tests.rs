use super::*;
use alloc::vec::Vec;

#[test]
fn bytes_come_out_in_the_order_they_went_in() {
    let (mut input_buffer, mut model) = (InputBuffer::default(), Vec::new());
    let mut large = Placed::new(90);
    for round in 0..200_usize {
        let piece: Vec<u8> = (0..round % 37).map(|i| (round * 31 + i) as u8).collect();
        input_buffer.room(piece.len(), &mut large)[..piece.len()].copy_from_slice(&piece);
        input_buffer.filled(piece.len());
        model.extend_from_slice(&piece);
        let used = (round * 17 % 41).min(model.len());
        input_buffer.advance(used);
        model.drain(..used);
        assert_eq!(input_buffer.bytes(), &model[..], "round {round}");
    }
    input_buffer.fill(b"new");
    assert_eq!(input_buffer.bytes(), b"new");
    input_buffer.clear(0);
    assert_eq!((input_buffer.len(), input_buffer.capacity()), (0, 0));
}
