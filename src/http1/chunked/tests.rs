use super::*;

/// Reads `input` in pieces of `size`; answers the state and the size of
/// the chunk in front of which it stopped, and what is left.
fn read(input: &[u8], size: usize) -> Result<(Chunked, u64, usize), ProtocolError> {
    let (mut state, mut bytes, mut digits, mut extensions) = (Chunked::Size, 0, 0, 0);
    let mut left = input.len();
    for piece in input.chunks(size) {
        let mut counts = Counts {
            size: &mut bytes,
            digits: &mut digits,
            extensions: &mut extensions,
        };
        let used = state.advance(piece, &mut counts, &Limits::DEFAULT)?;
        left -= used;
        if used < piece.len() {
            break;
        }
    }
    Ok((state, bytes, left))
}

fn check(input: &str, expected: Result<(Chunked, u64, usize), ProtocolError>) {
    for size in 1..=input.len() {
        assert_eq!(
            read(input.as_bytes(), size),
            expected,
            "{input:?} by {size}"
        );
    }
}

#[test]
fn size_lines_end_before_data_or_trailers() {
    check("5\r\nhello", Ok((Chunked::Data, 5, 5)));
    check("aBc\r\n", Ok((Chunked::Data, 0xabc, 0)));
    check("005\r\nh", Ok((Chunked::Data, 5, 1)));
    check("0\r\nX", Ok((Chunked::Trailers, 0, 1)));
    check("000000000000000\r\n", Ok((Chunked::Trailers, 0, 0)));
    check("fffffffffffffff\r\n", Ok((Chunked::Data, (1 << 60) - 1, 0)));
    check("5;a=\"b;c\" ; d\r\nh", Ok((Chunked::Data, 5, 1)));
    check("5 \t;a\r\nh", Ok((Chunked::Data, 5, 1)));
    check(
        "5; a\t=\t1;b=\"\";c = \"\\\"\\\\;\"\r\nh",
        Ok((Chunked::Data, 5, 1)),
    );
}

#[test]
fn plain_size_lines_are_read_as_step_by_step() {
    for line in [
        "5\r\nhello",
        "aBc\r\n",
        "005\r\nh",
        "1234567\r\n",
        "12345678\r\n",
        "0\r\n\r\n",
        "5 \r\n",
        "5;a\r\n",
        "\r\n5\r\n",
        "\r\n",
        "5\r",
        "5",
        "",
        "g\r\n",
        "5\n",
        "5\rx",
    ] {
        for behind_data in [false, true] {
            let begin = if behind_data {
                Chunked::DataCr
            } else {
                Chunked::Size
            };
            let (mut state, mut bytes) = (begin, 0);
            let mut counts = Counts {
                size: &mut bytes,
                digits: &mut 0,
                extensions: &mut 0,
            };
            let used = state.advance(line.as_bytes(), &mut counts, &Limits::DEFAULT);
            if let Some((size, at)) = plain_size(line.as_bytes(), behind_data) {
                assert_eq!(
                    (used, state, bytes),
                    (Ok(at), Chunked::Data, size),
                    "{line:?}"
                );
            } else {
                let begun = used.is_err() || state != Chunked::Data;
                assert!(
                    begun || line.len() > 9 || line.contains([';', ' ']),
                    "{line:?}"
                );
            }
        }
    }
}

#[test]
fn whatever_else_stands_there_is_refused() {
    use ProtocolError as V;
    for (input, violation) in [
        ("\r\n", V::ChunkSize),
        (";a\r\n", V::ChunkSize),
        (" 5\r\n", V::ChunkSize),
        ("+5\r\n", V::ChunkSize),
        ("0x5\r\n", V::ChunkSize),
        ("5_0\r\n", V::ChunkSize),
        ("g\r\n", V::ChunkSize),
        ("1000000000000000\r\n", V::ChunkSize),
        ("5\n", V::BareLf),
        ("\n", V::BareLf),
        ("5\rh", V::BareCr),
        ("5\r\r\n", V::BareCr),
        ("5 \r\n", V::ChunkExtension),
        ("5 5\r\n", V::ChunkExtension),
        ("5;a\0\r\n", V::ChunkExtension),
        ("5;\r\n", V::ChunkExtension),
        ("5; \r\n", V::ChunkExtension),
        ("5;;a\r\n", V::ChunkExtension),
        ("5;a \r\n", V::ChunkExtension),
        ("5;a b\r\n", V::ChunkExtension),
        ("5;a=\r\n", V::ChunkExtension),
        ("5;a==b\r\n", V::ChunkExtension),
        ("5;=b\r\n", V::ChunkExtension),
        ("5;bad[=x\r\n", V::ChunkExtension),
        ("5;a=b[\r\n", V::ChunkExtension),
        ("5;a=\"b\r\n", V::ChunkExtension),
        ("5;a=\"b\\\r\n", V::ChunkExtension),
        ("5;a=\"b\\\"\r\n", V::ChunkExtension),
        ("5;a=\"b\"c\r\n", V::ChunkExtension),
        ("5;a=b\"c\"\r\n", V::ChunkExtension),
        ("5;a=\"b\" \r\n", V::ChunkExtension),
        ("5;a=\"b\n", V::BareLf),
        ("5;a\n", V::BareLf),
        ("5 \n", V::BareLf),
        ("5;a\rb", V::BareCr),
    ] {
        check(input, Err(violation));
    }
}

#[test]
fn data_ends_with_crlf() {
    use ProtocolError as V;
    for (input, expected) in [
        ("\r\n", Ok(Chunked::Size)),
        ("\r\n5", Ok(Chunked::Size)),
        ("\r", Ok(Chunked::DataLf)),
        ("x", Err(V::ChunkEnd)),
        ("\n", Err(V::BareLf)),
        ("\rx", Err(V::BareCr)),
        ("\r\r", Err(V::BareCr)),
    ] {
        let mut state = Chunked::DataCr;
        let mut counts = Counts {
            size: &mut 0,
            digits: &mut 3,
            extensions: &mut 0,
        };
        let used = state.advance(input.as_bytes(), &mut counts, &Limits::DEFAULT);
        assert_eq!(used.map(|_| state), expected, "{input:?}");
    }
}
