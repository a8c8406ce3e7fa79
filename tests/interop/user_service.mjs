// The descriptor of user_service.UserService, built here instead of generated.
import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

const scope = "user_service";
const string = (number, name) => ({ name, number, type: Type.STRING, label: Label.OPTIONAL, jsonName: name });
const strings = (number, name) => ({ ...string(number, name), label: Label.REPEATED });
const int32 = (number, name) => ({ ...string(number, name), type: Type.INT32 });
const bool = (number, name) => ({ ...string(number, name), type: Type.BOOL });
const user = (number, name) => ({ ...string(number, name), type: Type.MESSAGE, typeName: `.${scope}.User` });

const messages = {
  User: [string(1, "id"), string(2, "name"), string(3, "email"), int32(4, "age"), strings(5, "roles")],
  GetUserRequest: [string(1, "id")],
  ListUsersRequest: [int32(1, "page_size"), string(2, "page_token"), string(3, "filter")],
  CreateUserRequest: [string(1, "name"), string(2, "email"), int32(3, "age"), strings(4, "roles")],
  UpdateUserRequest: [string(1, "id"), user(2, "user")],
  DeleteUserRequest: [string(1, "id")],
  DeleteUserResponse: [bool(1, "success"), string(2, "message")],
};

const method = (name, input, output, serverStreaming = false) => ({
  name,
  inputType: `.${scope}.${input}`,
  outputType: `.${scope}.${output}`,
  serverStreaming,
});

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "user_service.proto",
        package: scope,
        syntax: "proto3",
        messageType: Object.entries(messages).map(([name, field]) => ({ name, field })),
        service: [
          {
            name: "UserService",
            method: [
              method("GetUser", "GetUserRequest", "User"),
              method("ListUsers", "ListUsersRequest", "User", true),
              method("CreateUser", "CreateUserRequest", "User"),
              method("UpdateUser", "UpdateUserRequest", "User"),
              method("DeleteUser", "DeleteUserRequest", "DeleteUserResponse"),
              // No server has this one.
              method("PromoteUser", "GetUserRequest", "User"),
            ],
          },
        ],
      },
    ],
  }),
);

export const UserService = registry.getService(`${scope}.UserService`);
export const message = (name) => registry.getMessage(`${scope}.${name}`);
