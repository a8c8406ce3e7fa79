//! The messages of `user_service.UserService`.
//!
//! This is what prost generates from a `.proto` file; with barewire's feature
//! `prost` on, `app::Proto` makes the last part unnecessary.

use barewire::app::{CallStatus, Payload};
use barewire::grpc::{Code, Status};
use prost::Message;

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct User {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(string, tag = "3")]
    pub(crate) email: String,
    #[prost(int32, tag = "4")]
    pub(crate) age: i32,
    #[prost(string, repeated, tag = "5")]
    pub(crate) roles: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct GetUserRequest {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct ListUsersRequest {
    #[prost(int32, tag = "1")]
    pub(crate) page_size: i32,
    #[prost(string, tag = "2")]
    pub(crate) page_token: String,
    #[prost(string, tag = "3")]
    pub(crate) filter: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct CreateUserRequest {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) email: String,
    #[prost(int32, tag = "3")]
    pub(crate) age: i32,
    #[prost(string, repeated, tag = "4")]
    pub(crate) roles: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct UpdateUserRequest {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) user: Option<User>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct DeleteUserRequest {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct DeleteUserResponse {
    #[prost(bool, tag = "1")]
    pub(crate) success: bool,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
}

/// Makes messages of prost's payloads of calls.
macro_rules! payloads {
    ($($message:ty,)*) => {$(
        impl Payload for $message {
            fn decode(bytes: &[u8]) -> Result<Self, CallStatus> {
                Message::decode(bytes)
                    .map_err(|error| Status::new(Code::Internal, error.to_string()).into())
            }

            fn encode(&self, out: &mut Vec<u8>) {
                // Refused only for want of room, and a vector has it.
                let _ = Message::encode(self, out);
            }
        }
    )*};
}

payloads! {
    User,
    GetUserRequest,
    ListUsersRequest,
    CreateUserRequest,
    UpdateUserRequest,
    DeleteUserRequest,
    DeleteUserResponse,
}
