use alloc::format;

use super::*;

/// The name in a request.
fn name(text: &str) -> String {
    Received::parse(text)
        .unwrap()
        .message_id
        .unwrap()
        .into_owned()
}

fn answer(payload: &str) -> String {
    format!(r#"{{"message_type":"text","payload":{payload},"sender_id":null}}"#)
}

fn subscribed(channel: &str, request: &str, rest: &str) -> String {
    let name = name(request);
    answer(&format!(
        r#"{{"type":"subscribed","channel":"{channel}","in_reply_to":"{name}","connection_id":"me"{rest}}}"#
    ))
}

fn message(offset: u64, sender: &str) -> String {
    format!(
        r#"{{"message_type":"text","payload":{offset},"channel":"c","epoch":"e","offset":{offset},"sender_id":"{sender}"}}"#
    )
}

fn own(offset: u64) -> String {
    answer(&format!(
        r#"{{"type":"published","channel":"c","epoch":"e","offset":{offset},"in_reply_to":"x"}}"#
    ))
}

fn offset(talk: &Talk) -> u64 {
    talk.position("c").unwrap().offset
}

/// A conversation that is subscribed to `c`, which is at 5.
fn at_five() -> Talk {
    let mut talk = Talk::default();
    assert!(talk.begin().is_empty());
    let request = talk.subscribe("c", None).unwrap();
    let answer = subscribed("c", &request, r#","epoch":"e","offset":5"#);
    assert_eq!(talk.see(&answer), Seen::Message);
    let Ok(Some(News::Subscribed {
        recovered: None, ..
    })) = talk.take(&answer)
    else {
        panic!()
    };
    assert_eq!(offset(&talk), 5);
    talk
}

fn come(talk: &mut Talk, text: &str) -> bool {
    matches!(talk.take(text), Ok(Some(News::Message(_))))
}

#[test]
fn its_own_are_passed_over_once_all_before_them_has_come() {
    let mut talk = at_five();
    for offset in [7, 9] {
        talk.take(&own(offset)).unwrap();
    }
    // 6 is still on the way.
    assert_eq!(offset(&talk), 5);
    assert!(come(&mut talk, &message(6, "other")));
    assert_eq!(offset(&talk), 7);
    assert!(come(&mut talk, &message(8, "other")));
    assert_eq!(offset(&talk), 9);
    // The answer may come after what is behind it.
    assert!(come(&mut talk, &message(11, "other")));
    talk.take(&own(10)).unwrap();
    assert_eq!(offset(&talk), 11);
}

#[test]
fn what_comes_twice_is_taken_once() {
    let mut talk = at_five();
    assert!(come(&mut talk, &message(6, "other")));
    assert!(!come(&mut talk, &message(6, "other")));
    assert!(!come(&mut talk, &message(2, "other")));
    assert!(come(&mut talk, &message(u64::MAX, "other")));
    talk.take(&own(u64::MAX)).unwrap();
    assert_eq!(offset(&talk), u64::MAX);
}

#[test]
fn an_own_one_whose_answer_was_lost_comes_back_as_published() {
    let mut talk = at_five();
    talk.end();
    let requests = talk.begin();
    let request = requests.front().unwrap();
    assert!(request.contains(r#""offset":5,"epoch":"e""#), "{request}");
    let answer = subscribed("c", request, r#","epoch":"e","offset":7,"recovered":true"#);
    let answer = answer.replace("\"me\"", "\"me again\"");
    let Seen::Resumed {
        recovered: true, ..
    } = talk.see(&answer)
    else {
        panic!()
    };
    assert!(matches!(
        talk.take_resumed(),
        Some(News::Subscribed {
            recovered: Some(true),
            ..
        })
    ));
    assert_eq!(offset(&talk), 5);
    let Ok(Some(News::Published(published))) = talk.take(&message(6, "me")) else {
        panic!()
    };
    assert_eq!(
        (published.in_reply_to, published.position.unwrap().offset),
        (None, 6)
    );
    assert!(come(&mut talk, &message(7, "other")));
    assert_eq!(offset(&talk), 7);
    assert_eq!(talk.connection_id(), Some("me again"));
}

#[test]
fn all_channels_have_to_be_recovered_for_nothing_to_be_missing() {
    for (first, second, whole) in [
        (r#","recovered":true"#, r#","recovered":true"#, true),
        (
            r#","recovered":true"#,
            r#","recovered":false,"epoch":"f","offset":1"#,
            false,
        ),
        (r#","recovered":null"#, r#","recovered":true"#, false),
        ("", "", false),
    ] {
        let mut talk = at_five();
        let request = talk.subscribe("d", None).unwrap();
        talk.take(&subscribed("d", &request, "")).unwrap();
        talk.end();
        let requests = talk.begin();
        assert_eq!(requests.len(), 2);
        assert_eq!(talk.see(&message(6, "other")), Seen::Message);
        let answers = [
            subscribed("d", &requests[1], second),
            subscribed("c", &requests[0], first),
        ];
        assert_eq!(talk.see(&answers[0]), Seen::Message);
        assert!(matches!(
            talk.take(&answers[0]),
            Ok(Some(News::Subscribed { .. }))
        ));
        let resumed = Seen::Resumed {
            recovered: whole,
            position: None,
        };
        assert_eq!(talk.see(&answers[1]), resumed, "{first} {second}");
    }
}

#[test]
fn what_is_first_subscribed_to_on_a_connection_misses_nothing() {
    let mut talk = Talk::default();
    let told = talk.subscribe("c", None);
    assert!(told.is_some() && talk.subscribe("c", None).is_none());
    let requests = talk.begin();
    // The text that was made before is not the one that counts.
    assert_eq!(
        talk.see(&subscribed("c", &told.unwrap(), "")),
        Seen::Message
    );
    let resumed = talk.see(&subscribed("c", &requests[0], ""));
    assert!(matches!(
        resumed,
        Seen::Resumed {
            recovered: true,
            ..
        }
    ));
    assert!(matches!(
        talk.take_resumed(),
        Some(News::Subscribed {
            recovered: None,
            ..
        })
    ));
}

#[test]
fn a_subscribe_that_is_refused_is_forgotten() {
    let mut talk = at_five();
    talk.end();
    let requests = talk.begin();
    let name = name(&requests[0]);
    let refusal = answer(&format!(
        r#"{{"type":"error","code":"not_allowed","text":"no","in_reply_to":"{name}"}}"#
    ));
    assert!(matches!(
        talk.see(&refusal),
        Seen::Resumed {
            recovered: false,
            ..
        }
    ));
    let Some(News::Refused(refusal)) = talk.take_resumed() else {
        panic!()
    };
    assert_eq!(
        (refusal.channel.as_deref(), &*refusal.code),
        (Some("c"), "not_allowed")
    );
    assert!(talk.channels().is_empty());
    assert!(!come(&mut talk, &message(6, "other")));
}

#[test]
fn what_is_broadcast_is_never_taken_for_an_answer() {
    let mut talk = at_five();
    for payload in [
        r#"{"type":"error","code":"x","in_reply_to":null}"#,
        r#"{"type":"subscribed","channel":"c","epoch":"e","offset":90}"#,
        r#"{"type":"unsubscribed","channel":"c"}"#,
    ] {
        let text = format!(r#"{{"message_type":"text","payload":{payload},"channel":"c"}}"#);
        assert!(come(&mut talk, &text), "{payload}");
    }
    assert_eq!(offset(&talk), 5);
    assert!(talk.take("hello").is_err());
    let unknown = message(6, "other").replace("\"c\"", "\"d\"");
    assert!(!come(&mut talk, &unknown));
}

#[test]
fn a_server_makes_a_client_hold_no_more_than_it_may() {
    let mut talk = at_five();
    for offset in 0..5_000 {
        talk.take(&own(2 * offset + 8)).unwrap();
        let again = format!("c{offset}");
        talk.is_known_as(&again);
    }
    assert_eq!(talk.subscriptions["c"].own.len(), MOST_OWN);
    assert_eq!(talk.connections.len(), MOST_CONNECTIONS);
}
