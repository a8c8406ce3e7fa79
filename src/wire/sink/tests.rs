use super::*;

#[test]
fn a_slice_gives_exactly_its_room() {
    let mut memory = [0; 4];
    let mut out = Slice::new(&mut memory);
    out.space(3).copy_from_slice(b"abc");
    assert_eq!((out.room(), out.written()), (1, &b"abc"[..]));
    out.clear();
    assert_eq!((out.room(), out.written()), (4, &b""[..]));
}

#[cfg(feature = "alloc")]
#[test]
fn vectors_and_bytes_append_alike() {
    let (mut v, mut b) = (Vec::new(), BytesMut::new());
    for out in [&mut v as &mut dyn Sink, &mut b] {
        out.put(b"x");
        out.space(2).copy_from_slice(b"yz");
        out.put_shared(Bytes::from_static(b"!"));
    }
    assert_eq!(v, b"xyz!");
    assert_eq!(&b[..], b"xyz!");
}
