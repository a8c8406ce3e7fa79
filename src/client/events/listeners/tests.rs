use super::*;
use alloc::sync::Arc;
use std::sync::Mutex;

#[test]
fn each_listener_hears_of_its_type_and_some_of_all() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut listeners = Listeners::default();
    for (mark, name) in [("a", Some("note")), ("b", Some("message")), ("c", None)] {
        let heard = heard.clone();
        let listener = move |event: &MessageEvent| {
            heard.lock().unwrap().push((mark, event.event.clone()));
        };
        listeners.add(name.map(String::from), Box::new(listener));
    }
    for event in ["note", "message", "other"] {
        listeners.tell(&MessageEvent {
            event: event.into(),
            ..MessageEvent::default()
        });
    }
    let expected = [
        ("a", "note"),
        ("c", "note"),
        ("b", "message"),
        ("c", "message"),
        ("c", "other"),
    ];
    let heard = heard.lock().unwrap();
    let heard: Vec<_> = heard.iter().map(|(mark, it)| (*mark, &**it)).collect();
    assert_eq!(heard, expected);
}
