//! The document that is served, beside what is served.

use barewire::app::{Server, Status};
use barewire::client::Client;
use openapi::{NewNote, Note};
use serde_json::Value;

fn serve() -> (Server, String) {
    let server = openapi::app()
        .listen("127.0.0.1:0")
        .unwrap()
        .spawn()
        .unwrap();
    let url = format!("http://{}", server.local_addresses()[0]);
    (server, url)
}

#[test]
fn the_document_names_each_route() {
    let (_server, url) = serve();
    let response = Client::new()
        .get(format!("{url}/openapi.json"))
        .send()
        .unwrap();
    let document: Value = response.json().unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let routes = openapi::app().routes();
    assert_eq!(routes.iter().count(), 6);
    for route in &routes {
        let method = route.method().unwrap().to_lowercase();
        let operation = &document["paths"][route.pattern()][&method];
        assert!(
            operation["responses"].is_object(),
            "{method} {}",
            route.pattern()
        );
        if let Some(name) = route.name() {
            assert_eq!(operation["operationId"], name);
        }
    }
    let operations = document["paths"].as_object().unwrap().values();
    let count: usize = operations.map(|it| it.as_object().unwrap().len()).sum();
    assert_eq!(count, 6, "nothing that is not served");
}

#[test]
fn each_reference_leads_to_a_schema() {
    let (_server, url) = serve();
    let response = Client::new()
        .get(format!("{url}/openapi.json"))
        .send()
        .unwrap();
    let text = response.text().unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let parts = text.split("\"$ref\":\"#").skip(1);
    let pointers: Vec<&str> = parts.filter_map(|it| it.split('"').next()).collect();
    assert!(pointers.len() >= 3, "{text}");
    for pointer in pointers {
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    let body = &document["paths"]["/notes"]["post"]["requestBody"]["content"];
    assert_eq!(
        body["application/json"]["schema"]["$ref"],
        "#/components/schemas/NewNote"
    );
    let parameters = &document["paths"]["/notes/{id}"]["get"]["parameters"];
    assert_eq!(
        (&parameters[0]["name"], &parameters[0]["in"]),
        (&"id".into(), &"path".into())
    );
}

#[test]
fn what_is_described_is_served() {
    let (_server, url) = serve();
    let http = Client::new();
    let note = NewNote {
        text: "milk".into(),
        due: None,
    };
    let added = http
        .post(format!("{url}/notes"))
        .json(&note)
        .send()
        .unwrap()
        .json::<Note>();
    assert_eq!(added.unwrap().id, 0);
    let listed = http
        .get(format!("{url}/notes"))
        .send()
        .unwrap()
        .json::<Vec<Note>>();
    assert_eq!(listed.unwrap()[0].note.text, "milk");
    let found = format!("{url}/notes/0");
    assert_eq!(http.get(&found).send().unwrap().status(), Status::OK);
    assert_eq!(http.delete(&found).send().unwrap().status(), Status::OK);
    assert_eq!(http.get(&found).send().unwrap().status(), Status::NOT_FOUND);
}
