//! What proxies say. The header of the PROXY protocol: what is decided early stays so, and
//! no more is looked at than the limit says. Fields: no client speaks for a proxy.

use barewire::app::{Peer, TrustedProxies};
use barewire::http::{Field, FieldBuffer, Fields, TraceContext};
use barewire::net::{Network, read_proxy_header};

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

/// What trusted proxies say: what a client writes in front of it changes nothing, and
/// nothing is read that cannot be said on the wire.
///
/// The first byte says which fields are believed; the rest is lines `name: value`, of which
/// the last is the nearest proxy's.
pub fn forwarded(data: &[u8]) {
    let Some((&first, input)) = data.split_first() else {
        return;
    };
    let proxies = TrustedProxies::new([Network::new([10, 0, 0, 0].into(), 8).unwrap()]);
    let proxies = match first % 4 {
        0 => proxies.forwarded(),
        1 => proxies.x_forwarded_for(),
        2 => proxies.x_forwarded_for().x_forwarded_proto(),
        _ => proxies
            .x_forwarded_for()
            .x_forwarded_proto()
            .x_forwarded_host(),
    };
    let line = |line: &'_ [u8]| -> Option<(String, Vec<u8>)> {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = String::from_utf8(line[..colon].to_vec()).ok()?;
        Some((name, line[colon + 1..].trim_ascii().to_vec()))
    };
    let lines: Vec<_> = input
        .split(|&byte| byte == b'\n')
        .filter_map(line)
        .collect();
    let fields: Vec<Field<'_>> = lines
        .iter()
        .map(|(name, value)| Field {
            name: name.as_bytes(),
            value,
        })
        .collect();
    let proxy = Peer::V4([10, 0, 0, 1].into(), 4000);
    let told = proxies.read(proxy, &Fields::new(&fields)).unwrap();
    assert!(told.scheme.is_none_or(|it| it == "http" || it == "https"));
    if let Some(host) = told.host {
        assert!(FieldBuffer::new().push("host", host).is_ok() && !host.is_empty());
    }
    // A stranger is believed nothing.
    let stranger = Peer::V4([192, 0, 2, 1].into(), 4000);
    assert_eq!(proxies.read(stranger, &Fields::new(&fields)), None);

    // What the client writes in front of an honest proxy changes nothing, in a line of its
    // own or in the same one.
    let honest = "for=192.0.2.7;proto=https;host=a.example";
    let honest = [
        ("Forwarded", honest),
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "a.example"),
    ];
    let client = Peer::V4([192, 0, 2, 7].into(), 0);
    let joined: Vec<(String, Vec<u8>)> = honest
        .iter()
        .map(|(name, value)| {
            let of_name = |it: &&(String, Vec<u8>)| it.0.eq_ignore_ascii_case(name);
            let mut all = Vec::new();
            for (_, sent) in lines.iter().filter(of_name) {
                all.extend_from_slice(sent);
                all.extend_from_slice(b", ");
            }
            all.extend_from_slice(value.as_bytes());
            (String::from(*name), all)
        })
        .collect();
    let joined: Vec<Field<'_>> = joined
        .iter()
        .map(|(name, value)| Field {
            name: name.as_bytes(),
            value,
        })
        .collect();
    let mut behind = fields.clone();
    behind.extend(honest.iter().map(|(name, value)| Field::new(name, value)));
    for list in [&joined, &behind] {
        let told = proxies.read(proxy, &Fields::new(list)).unwrap();
        assert_eq!(told.client, client);
        assert!(told.scheme.is_none_or(|it| it == "https"));
        assert!(told.host.is_none_or(|it| it == "a.example"));
    }
}

/// A trace context is read as it is written, and what is passed on can be sent.
pub fn trace_context(data: &[u8]) {
    let (parent, state) = match data.iter().position(|&byte| byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &b""[..]),
    };
    let list = [
        Field {
            name: b"traceparent",
            value: parent,
        },
        Field {
            name: b"tracestate",
            value: state,
        },
    ];
    let Some(context) = TraceContext::of(&Fields::new(&list)) else {
        return;
    };
    let again: TraceContext = context.to_string().parse().unwrap();
    assert_eq!(again.trace_id(), context.trace_id());
    assert_eq!(again.span_id(), context.span_id());
    assert!(context.state().len() <= 512);
    assert!(
        FieldBuffer::new()
            .push("tracestate", context.state())
            .is_ok()
    );
    let parent = context.to_string();
    let list = [
        Field::new("traceparent", &parent),
        Field::new("tracestate", context.state()),
    ];
    assert_eq!(TraceContext::of(&Fields::new(&list)), Some(context));
}
