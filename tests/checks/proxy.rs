//! The header of the PROXY protocol: what is decided early stays so, and no more
//! is looked at than the limit says.

use barewire::net::read_proxy_header;

/// The first byte sets the limit.
pub fn header(data: &[u8]) {
    let Some((&first, input)) = data.split_first() else {
        return;
    };
    let limit = 16 + 4 * usize::from(first);
    let whole = read_proxy_header(input, limit);
    for end in 0..input.len() {
        let early = read_proxy_header(&input[..end], limit);
        assert!(
            early == Ok(None) || early == whole,
            "{end}: {early:?}, {whole:?}"
        );
    }
    match whole {
        Ok(Some((length, _))) => {
            assert!(length <= input.len() && length <= limit);
            assert_eq!(read_proxy_header(&input[..length - 1], limit), Ok(None));
        }
        Ok(None) => assert!(input.len() < limit),
        Err(_) => {}
    }
}
