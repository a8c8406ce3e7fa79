use super::*;
use alloc::string::ToString;

#[test]
fn the_longest_offers_fit() {
    let bits = WindowBits::new(15);
    let offer = Offer {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: bits,
        client_max_window_bits: ClientWindow::AtMost(WindowBits::MAX),
    };
    assert!(offer.to_string().len() + 2 <= LONGEST);
    let offers = Offers::new(&[offer; 4]);
    assert_eq!(offers.as_slice(), [offer; 3]);
    let text = offers.as_str();
    assert_eq!(text.split(", ").count(), 3);
    for member in text.split(", ") {
        let extension = Extension::parse(member.as_bytes()).unwrap();
        assert_eq!(Offer::parse(&extension), Ok(offer));
    }
    assert_eq!(Offers::NONE.as_str(), "");
}
