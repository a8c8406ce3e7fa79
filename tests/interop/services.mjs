// The services of the showcase, as its own descriptors have them.
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";

const place = new URL("../../examples/showcase/protos/descriptors.binpb", import.meta.url);
/** The bytes of the descriptors. */
export const encoded = readFileSync(place);

export const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, encoded));
export const UserService = registry.getService("user_service.UserService");
export const TestService = registry.getService("grpc.testing.TestService");
