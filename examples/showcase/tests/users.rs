//! The showcase's directory of users and its interop service over gRPC-Web.

#[path = "../../../tests/app_support/mod.rs"]
mod app_support;

use std::io::{Read, Write};

use app_support::{Running, unchunked};
use barewire::grpc::Code;
use prost::Message;
use showcase::messages::{
    CreateUserRequest, DeleteUserRequest, DeleteUserResponse, GetUserRequest, ListUsersRequest,
    UpdateUserRequest, UpdateUsersResponse, User,
};
use showcase::test_messages::{
    EchoStatus, ResponseParameters, StreamingOutputCallRequest, StreamingOutputCallResponse,
};

/// Calls a method; returns its messages, or the code that it failed with.
fn call<O: Message + Default>(
    running: &Running,
    method: &str,
    request: &impl Message,
) -> Result<Vec<O>, Code> {
    call_of(running, "user_service.UserService", method, request)
}

/// Calls a method of any service.
fn call_of<O: Message + Default>(
    running: &Running,
    service: &str,
    method: &str,
    request: &impl Message,
) -> Result<Vec<O>, Code> {
    let message = request.encode_to_vec();
    let length = message.len() as u32;
    let mut stream = running.connect();
    let head = format!(
        "POST /{service}/{method} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Content-Type: application/grpc-web+proto\r\nContent-Length: {}\r\n\r\n",
        length + 5
    );
    let bytes = [head.as_bytes(), b"\0", &length.to_be_bytes(), &message].concat();
    stream.write_all(&bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
    let (head, body) = answer.split_at(end);
    let head = str::from_utf8(head).unwrap().to_lowercase();
    let body = match head.contains("transfer-encoding: chunked") {
        true => unchunked(body),
        false => body.to_vec(),
    };
    let (mut messages, mut status, mut rest) = (Vec::new(), grpc_status(&head), &body[..]);
    while let [flags, a, b, c, d, ..] = *rest {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let payload = &rest[5..][..length];
        match flags {
            0 => messages.push(O::decode(payload).unwrap()),
            _ => status = grpc_status(str::from_utf8(payload).unwrap()),
        }
        rest = &rest[5 + length..];
    }
    match status.expect("no status") {
        Code::Ok => Ok(messages),
        code => Err(code),
    }
}

fn grpc_status(fields: &str) -> Option<Code> {
    let mut lines = fields.lines().filter_map(|line| line.split_once(':'));
    let (_, code) = lines.find(|(name, _)| *name == "grpc-status")?;
    Code::parse(code.trim().as_bytes())
}

fn create(running: &Running, name: &str, email: &str) -> Result<User, Code> {
    let request = CreateUserRequest {
        name: name.into(),
        email: email.into(),
        age: 30,
        roles: vec!["reader".into(), String::new()],
    };
    let mut users: Vec<User> = call(running, "CreateUser", &request)?;
    assert_eq!(users.len(), 1);
    Ok(users.remove(0))
}

fn get(running: &Running, id: &str) -> Result<Vec<User>, Code> {
    call(running, "GetUser", &GetUserRequest { id: id.into() })
}

fn list(
    running: &Running,
    page_size: i32,
    page_token: &str,
    filter: &str,
) -> Result<Vec<String>, Code> {
    let request = ListUsersRequest {
        page_size,
        page_token: page_token.into(),
        filter: filter.into(),
    };
    let users: Vec<User> = call(running, "ListUsers", &request)?;
    Ok(users.into_iter().map(|user| user.name).collect())
}

#[test]
fn a_user_is_created_changed_and_deleted() {
    let running = Running::start(showcase::showcase(&[]));
    let made = create(&running, "Grüße", "g@example.com").unwrap();
    assert_eq!(get(&running, &made.id), Ok(vec![made.clone()]));
    assert_eq!(
        create(&running, "Other", "g@example.com"),
        Err(Code::AlreadyExists)
    );

    let changed = User {
        name: "Gruß".into(),
        age: -1,
        ..made.clone()
    };
    let update = |id: &str, user: Option<User>| -> Result<Vec<User>, Code> {
        call(
            &running,
            "UpdateUser",
            &UpdateUserRequest {
                id: id.into(),
                user,
            },
        )
    };
    assert_eq!(
        update(&made.id, Some(changed.clone())),
        Ok(vec![changed.clone()])
    );
    assert_eq!(get(&running, &made.id), Ok(vec![changed.clone()]));
    assert_eq!(update("nobody", Some(changed.clone())), Err(Code::NotFound));
    assert_eq!(update(&made.id, None), Err(Code::InvalidArgument));
    let taken = User {
        email: "ada.lovelace@example.com".into(),
        ..changed
    };
    assert_eq!(update(&made.id, Some(taken)), Err(Code::AlreadyExists));

    let delete = |id: &str| -> Result<Vec<DeleteUserResponse>, Code> {
        call(&running, "DeleteUser", &DeleteUserRequest { id: id.into() })
    };
    assert!(delete(&made.id).unwrap()[0].success);
    assert_eq!(delete(&made.id), Err(Code::NotFound));
    assert_eq!(get(&running, &made.id), Err(Code::NotFound));
    let again = create(&running, "Grüße", "g@example.com").unwrap();
    assert_ne!(again.id, made.id, "an id is never used twice");
}

#[test]
fn users_are_listed_by_page_and_by_part_of_the_name() {
    let running = Running::start(showcase::showcase(&[]));
    let names: Vec<String> = (0..12).map(|n| format!("Zoë Nr. {n}")).collect();
    for name in &names {
        create(&running, name, &format!("{name}@example.com")).unwrap();
    }
    assert_eq!(list(&running, 0, "", "zOË").unwrap(), names[..10]);
    assert_eq!(list(&running, 5, "10", "zoë").unwrap(), names[10..]);
    assert_eq!(list(&running, 100, "0", "nr.").unwrap(), names);
    assert_eq!(list(&running, 5, "1000000", ""), Ok(vec![]));
    assert_eq!(
        list(&running, 100, "", "").unwrap().len(),
        15,
        "three are there from the start"
    );
    assert_eq!(list(&running, -1, "", ""), Err(Code::InvalidArgument));
    assert_eq!(list(&running, 5, "x", ""), Err(Code::InvalidArgument));
}

#[test]
fn what_no_user_can_be_is_refused() {
    let running = Running::start(showcase::showcase(&[]));
    assert_eq!(
        create(&running, "", "a@example.com"),
        Err(Code::InvalidArgument)
    );
    assert_eq!(create(&running, "A", ""), Err(Code::InvalidArgument));
    let long = "n".repeat(5000);
    assert_eq!(
        create(&running, &long, "a@example.com"),
        Err(Code::InvalidArgument)
    );
    assert_eq!(get(&running, ""), Err(Code::InvalidArgument));
    for id in ["01", "+1", "1 ", "18446744073709551616"] {
        assert_eq!(get(&running, id), Err(Code::NotFound), "{id}");
    }
}

#[test]
fn a_call_is_owed_no_more_responses_than_the_service_holds() {
    let running = Running::start(showcase::showcase(&[]));
    for method in ["HalfDuplexCall", "FullDuplexCall", "StreamingOutputCall"] {
        let ask = |responses| {
            let asked = StreamingOutputCallRequest {
                response_parameters: vec![ResponseParameters::default(); responses],
                ..Default::default()
            };
            call_of::<StreamingOutputCallResponse>(
                &running,
                showcase::interop::NAME,
                method,
                &asked,
            )
        };
        assert_eq!(
            ask(100).map(|responses| responses.len()),
            Ok(100),
            "{method}"
        );
        // Two bytes of a request ask for a response.
        assert_eq!(
            ask(400_000).err(),
            Some(Code::ResourceExhausted),
            "{method}"
        );
    }
}

#[test]
fn little_is_kept_of_what_a_client_sends_to_be_said_back() {
    let running = Running::start(showcase::showcase(&[]));
    let update = UpdateUserRequest {
        id: "9".repeat(100_000),
        user: Some(User::default()),
    };
    let told: Vec<UpdateUsersResponse> = call(&running, "UpdateUsers", &update).unwrap();
    assert_eq!(told[0].failures.len(), 1);
    assert!(told[0].failures[0].len() < 100);
    // What stands behind a status is never sent.
    let asked = StreamingOutputCallRequest {
        response_parameters: vec![ResponseParameters::default(); 2],
        response_status: Some(EchoStatus {
            code: 9,
            message: "m".repeat(1000),
        }),
        ..Default::default()
    };
    let told = call_of::<StreamingOutputCallResponse>(
        &running,
        showcase::interop::NAME,
        "HalfDuplexCall",
        &asked,
    );
    assert_eq!(told.err(), Some(Code::FailedPrecondition));
}
