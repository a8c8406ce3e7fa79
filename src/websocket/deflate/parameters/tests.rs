use super::*;

fn parse(text: &str) -> Result<Parameters, InvalidParameters> {
    Parameters::parse(&Extension::parse(text.as_bytes()).unwrap())
}

#[test]
fn sizes_of_windows_are_written_in_one_way() {
    for bits in 0..=u8::MAX {
        let text = alloc::format!("permessage-deflate; server_max_window_bits={bits}");
        let parsed = parse(&text).ok().and_then(|it| it.server_max_window_bits);
        assert_eq!(parsed, WindowBits::new(bits));
        if let Some(bits) = parsed {
            assert_eq!(WindowBits::parse(bits.as_str()), Some(bits));
        }
    }
    for bad in ["08", "015", "+9", "1", "10a", "0x8", "8.0", "115"] {
        let text = alloc::format!("permessage-deflate; client_max_window_bits={bad}");
        assert_eq!(parse(&text).err(), Some(InvalidParameters), "{bad}");
    }
    assert!(parse("permessage-deflate; client_max_window_bits=\"10\"").is_ok());
}

#[test]
fn what_is_no_parameter_is_refused() {
    for bad in [
        "x-deflate",
        "Permessage-Deflate",
        "permessage-deflate; x",
        "permessage-deflate; Server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
    ] {
        assert_eq!(parse(bad).err(), Some(InvalidParameters), "{bad}");
    }
}
