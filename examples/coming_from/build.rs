//! What tonic-prost-build makes of `service Greeter`, here without protoc.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type("crate::tonic::HelloRequest")
            .output_type("crate::tonic::HelloReply")
            .codec_path("tonic_prost::ProstCodec")
    };
    let greeter = Service::builder()
        .name("Greeter")
        .package("guide")
        .method(method("say_hello", "SayHello").build())
        .method(method("say_hellos", "SayHellos").server_streaming().build())
        .build();
    Builder::new().compile(&[greeter]);
}
