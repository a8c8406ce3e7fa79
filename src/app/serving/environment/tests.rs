use super::*;

fn told(variables: &[(&str, &str)]) -> String {
    let look = |name: &str| {
        let found = variables.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| value.into())
    };
    from(look, "127.0.0.1:8080").map_or_else(|error| error.to_string(), |app| format!("{app:?}"))
}

#[test]
fn faults_name_the_variable_and_what_it_holds() {
    let of = |name, value| told(&[(name, value)]);
    assert!(of("LISTEN", "here").starts_with("the environment's LISTEN: not an address: \"here\""));
    assert_eq!(
        of("PORT", "x"),
        "the environment's PORT: \"x\" is not a port"
    );
    for count in ["0", "-1", "1025", "many"] {
        let text = of("THREADS", count);
        assert_eq!(
            text,
            format!("the environment's THREADS: {count:?} is neither 1 to 1024 nor `auto`")
        );
    }
}

#[test]
fn listen_is_before_port_and_port_before_the_default() {
    let both = told(&[
        ("LISTEN", " 127.0.0.1:1\t[::1]:2 "),
        ("PORT", "3"),
        ("THREADS", "2"),
    ]);
    assert!(
        both.contains("127.0.0.1:1") && both.contains("[::1]:2"),
        "{both}"
    );
    assert!(
        !both.contains("0.0.0.0:3") && both.contains("threads: 2"),
        "{both}"
    );
    assert!(told(&[("LISTEN", ""), ("PORT", "3")]).contains("0.0.0.0:3"));
    assert!(told(&[]).contains("127.0.0.1:8080"));
}
