use super::*;

fn text(form: Multipart) -> (String, Option<u64>) {
    let (mut body, content_type) = form.into_body().unwrap();
    let boundary = content_type.split_once("boundary=").unwrap().1;
    let (mut all, length) = (Vec::new(), body.length());
    let mut giving = body.begin();
    while giving.next(|piece| all.extend_from_slice(piece)).unwrap() == Given::Piece {}
    let text = String::from_utf8(all).unwrap();
    (text.replace(boundary, "B"), length)
}

#[test]
fn parts_stand_between_boundaries_and_names_cannot_break_out() {
    let part = || {
        Part::new("file")
            .file_name("a\"\r\nb")
            .content_type("text/plain")
    };
    let form = || Multipart::new().text("n\"", "v").part("f", part());
    let expected = "--B\r\nContent-Disposition: form-data; name=\"n%22\"\r\n\r\nv\r\n\
            --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a%22%0D%0Ab\"\r\n\
            Content-Type: text/plain\r\n\r\nfile\r\n--B--\r\n";
    assert_eq!(text(form()).0, expected);
    let read = Part::new(Body::reader(&b"read"[..]));
    let (whole, length) = text(Multipart::new().part("f", read));
    assert!(whole.contains("\r\n\r\nread\r\n--B--"));
    assert_eq!(length, None);
    let read = Part::new(Body::reader(&b"read"[..]).with_length(4));
    let (whole, length) = text(Multipart::new().part("f", read));
    let boundary = "barewire-".len() + 32;
    let announced = length.unwrap() as usize;
    assert_eq!(announced, whole.len() + 2 * (boundary - 1));
    let bad = Multipart::new().part("f", Part::new("x").content_type("a\r\nb"));
    assert!(bad.into_body().is_err());
}

#[test]
fn pairs_are_joined_and_encoded() {
    let mut list = String::new();
    push("a", "1 2", &mut list);
    push("\u{e4}&=", "~+%", &mut list);
    push("", "", &mut list);
    assert_eq!(list, "a=1+2&%C3%A4%26%3D=%7E%2B%25&=");
}
