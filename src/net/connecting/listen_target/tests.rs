use super::*;
use crate::link;
use crate::net::{Handler, Limits, Mio};

struct Nothing;

impl Handler for Nothing {
    fn event(&mut self, _: &mut crate::net::Context<'_>, _: crate::link::Event<'_>) {}
}

fn listen(place: &ListenTarget) -> Result<Vec<Address>, Error> {
    let mut events: Loop<Mio> = Loop::new(Limits::DEFAULT)?;
    let owner = events.add(Nothing);
    let profile = events.profile(link::Limits::DEFAULT);
    place.listen(
        &mut events,
        &ListenOptions::DEFAULT,
        Speaks::Http,
        owner,
        profile,
    )
}

fn named(addresses: &[&str]) -> ListenTarget {
    let addresses = addresses.iter().map(|text| text.parse().unwrap());
    ListenTarget {
        given: "name:1".into(),
        addresses: addresses.collect(),
        transport: None,
        socket: None,
    }
}

#[test]
fn a_place_is_an_address_or_a_name() {
    let texts = |given| {
        let place = ListenTarget::resolve(given).unwrap();
        let texts = place.addresses.iter().map(|it| format!("{it}"));
        texts.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(texts("[::]:80"), "[::]:80");
    assert_eq!(texts("unix:a"), "unix:a");
    for name in ["localhost:8080", "LocalHost:8080", "localhost.:8080"] {
        assert_eq!(texts(name), "[::1]:8080 127.0.0.1:8080");
    }
    assert_eq!(texts("localhost:0"), "[::1]:0 127.0.0.1:0");
    for bad in [
        "",
        "8080",
        ":80",
        "localhost",
        "localhost:x",
        "a:65536",
        "a:+1",
        "http://a:1",
    ] {
        let error = ListenTarget::resolve(bad).unwrap_err();
        assert!(
            matches!(&error, Error::Address { given, .. } if given == bad),
            "{error}"
        );
    }
    let error = ListenTarget::resolve("name.invalid:80").unwrap_err();
    assert!(
        format!("{error}").starts_with("cannot resolve \"name.invalid\": "),
        "{error}"
    );
}

#[test]
fn port_0_is_one_port_of_all_addresses() {
    let bound = listen(&named(&["127.0.0.1:0", "127.0.0.2:0"])).unwrap();
    assert_eq!(bound.len(), 2);
    assert!(port_of(&bound[0]) == port_of(&bound[1]) && port_of(&bound[0]) != Some(0));
}

#[test]
fn what_cannot_be_listened_on_is_left_out_unless_it_is_everything() {
    let others = ["127.0.0.1:0", "127.0.0.2:0"].map(|it| std::net::TcpListener::bind(it).unwrap());
    let taken = others
        .each_ref()
        .map(|it| format!("{}", it.local_addr().unwrap()));
    let bound = listen(&named(&[&taken[0], "127.0.0.1:0"])).unwrap();
    assert!(bound.len() == 1 && port_of(&bound[0]) != Some(0));
    // The second is taken by the first, whatever its port.
    assert_eq!(listen(&named(&["127.0.0.1:0"; 2])).unwrap().len(), 1);

    let error = format!("{}", listen(&named(&[&taken[0], &taken[1]])).unwrap_err());
    let start = format!("cannot listen on name:1: {}: ", taken[0]);
    assert!(error.starts_with(&start), "{error}");
    assert!(error.contains(&format!("; {}: ", taken[1])), "{error}");
    let error = format!("{}", listen(&named(&[&taken[0]])).unwrap_err());
    assert!(
        error.starts_with(&format!("cannot listen on {}: ", taken[0])),
        "{error}"
    );
}
