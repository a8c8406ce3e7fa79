//! The messages of `user_service.UserService`.
//!
//! This is what prost generates from a `.proto` file; with barewire's feature
//! `prost` on, `app::Proto` makes the last part unnecessary.

use std::collections::HashMap;

use prost::Message;

#[derive(Clone, PartialEq, Eq, Message)]
pub struct User {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub email: String,
    #[prost(int32, tag = "4")]
    pub age: i32,
    #[prost(string, repeated, tag = "5")]
    pub roles: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct GetUserRequest {
    #[prost(string, tag = "1")]
    pub id: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ListUsersRequest {
    #[prost(int32, tag = "1")]
    pub page_size: i32,
    #[prost(string, tag = "2")]
    pub page_token: String,
    #[prost(string, tag = "3")]
    pub filter: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct CreateUserRequest {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub email: String,
    #[prost(int32, tag = "3")]
    pub age: i32,
    #[prost(string, repeated, tag = "4")]
    pub roles: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct UpdateUserRequest {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(message, optional, tag = "2")]
    pub user: Option<User>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct UpdateUsersResponse {
    #[prost(int32, tag = "1")]
    pub processed: i32,
    #[prost(string, repeated, tag = "2")]
    pub failures: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ChatMessage {
    #[prost(string, tag = "1")]
    pub user_id: String,
    #[prost(string, tag = "2")]
    pub text: String,
    #[prost(int64, tag = "3")]
    pub timestamp: i64,
    #[prost(map = "string, string", tag = "4")]
    pub metadata: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct DeleteUserRequest {
    #[prost(string, tag = "1")]
    pub id: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct DeleteUserResponse {
    #[prost(bool, tag = "1")]
    pub success: bool,
    #[prost(string, tag = "2")]
    pub message: String,
}

/// Makes messages of prost's payloads of calls.
macro_rules! payloads {
    ($($message:ty,)*) => {$(
        impl barewire::app::Payload for $message {
            const CODECS: &'static [&'static str] = &["proto"];

            fn decode(bytes: &[u8]) -> Result<Self, barewire::app::CallStatus> {
                prost::Message::decode(bytes).map_err(|error: prost::DecodeError| {
                    let code = barewire::grpc::Code::Internal;
                    barewire::grpc::Status::new(code, error.to_string()).into()
                })
            }

            fn encode(&self, out: &mut Vec<u8>) {
                // Refused only for want of room, and a vector has it.
                let _ = prost::Message::encode(self, out);
            }
        }
    )*};
}
pub(crate) use payloads;

payloads! {
    User,
    GetUserRequest,
    ListUsersRequest,
    CreateUserRequest,
    UpdateUserRequest,
    UpdateUsersResponse,
    ChatMessage,
    DeleteUserRequest,
    DeleteUserResponse,
}
