//! Files among the variables of operations.

use barewire::graphql::Limits;

use super::scene::{post, running, running_with};

/// A form of these parts, each a name with what follows it in its head, and its content.
fn form(parts: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, content) in parts {
        form += &format!("--x\r\nContent-Disposition: form-data; name={name}\r\n\r\n{content}\r\n");
    }
    form + "--x--\r\n"
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=x\r\nX-Requested-With: test\r\n";
const PUT: &str =
    r#"{"query":"mutation($f: [Upload!]!) { put(files: $f) }","variables":{"f":[null,null]}}"#;

#[test]
fn files_stand_where_the_map_says() {
    let running = running_with(Limits::DEFAULT.with_uploads(4).with_batch(2));
    let typed = "\"0\"; filename=\"a.txt\"\r\nContent-Type: text/plain";
    let map = r#"{"0":["variables.f.1"],"1":["variables.f.0"]}"#;
    let body = form(&[
        ("operations", PUT),
        ("map", map),
        (typed, "one"),
        ("\"1\"; filename=\"b\"", "two\r\nlines"),
    ]);
    let answer = post(&running, FORM, &body);
    let put = r#"{"data":{"put":["b None 10 two\r\nlines","a.txt Some(\"text/plain\") 3 one"]}}"#;
    assert_eq!((answer.status, &*answer.body), (200, put));

    // One file in both operations of a batch, and in one twice.
    let batch = format!("[{PUT},{PUT}]");
    let map =
        r#"{"0":["0.variables.f.0","1.variables.f.0","1.variables.f.1"],"1":["0.variables.f.1"]}"#;
    let body = form(&[
        ("operations", &batch),
        ("map", map),
        (typed, "one"),
        ("\"1\"; filename=\"b\"", ""),
    ]);
    let one = r#""a.txt Some(\"text/plain\") 3 one""#;
    let put =
        format!(r#"[{{"data":{{"put":[{one},"b None 0 "]}}}},{{"data":{{"put":[{one},{one}]}}}}]"#);
    let answer = post(&running, FORM, &body);
    assert_eq!((answer.status, answer.body), (200, put));
}

#[test]
fn a_place_without_a_file_is_null() {
    let running = running_with(Limits::DEFAULT.with_uploads(4));
    let map = r#"{"0":["variables.f.1"]}"#;
    let body = form(&[
        ("operations", PUT),
        ("map", map),
        ("\"0\"; filename=\"a\"", "one"),
    ]);
    let answer = post(&running, FORM, &body);
    assert!(answer.body.contains("Invalid value"), "{answer:?}");
    // A client that names a file that has not come gets an error of its operation.
    let forged = PUT.replace("null,null", r##""#__graphql_file__:7""##);
    let json = "Content-Type: application/json\r\n";
    let answer = post(&running, json, &forged);
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(answer.body.contains("INTERNAL_SERVER_ERROR"), "{answer:?}");
}

#[test]
fn files_are_taken_by_choice_alone() {
    let body = form(&[("operations", PUT), ("map", "{}")]);
    assert_eq!(post(&running(), FORM, &body).status, 415);
}
