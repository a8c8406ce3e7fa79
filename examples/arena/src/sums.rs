//! `benchmark.BenchmarkService`: sums over gRPC.

use barewire::app::{Call, CallStatus, Service};
use barewire::grpc::Proto;
use prost::Message;

#[derive(Clone, PartialEq, Eq, Message)]
struct SumRequest {
    #[prost(int32, tag = "1")]
    a: i32,
    #[prost(int32, tag = "2")]
    b: i32,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct StreamRequest {
    #[prost(int32, tag = "1")]
    a: i32,
    #[prost(int32, tag = "2")]
    b: i32,
    #[prost(int32, tag = "3")]
    count: i32,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct SumReply {
    #[prost(int32, tag = "1")]
    result: i32,
}

type Reply = Result<Proto<SumReply>, CallStatus>;

pub(crate) fn service() -> Service {
    Service::new("benchmark.BenchmarkService")
        .unary(
            "GetSum",
            |Proto(it): Proto<SumRequest>, _: &mut Call<'_>| reply(it.a.wrapping_add(it.b)),
        )
        .server_streaming(
            "StreamSum",
            |Proto(it): Proto<StreamRequest>, _: &mut Call<'_>| {
                let sum = it.a.wrapping_add(it.b);
                Ok((0..it.count.max(1)).map(move |n| reply(sum.wrapping_add(n))))
            },
        )
}

fn reply(result: i32) -> Reply {
    Ok(Proto(SumReply { result }))
}
