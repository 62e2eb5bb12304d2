"""A provider for the policies' engine tests: takes any resource and says what it was given. It creates nothing."""

import sys

from pulumi.provider.experimental import server
from pulumi.provider.experimental.provider import (
    CheckRequest,
    CheckResponse,
    ConfigureRequest,
    ConfigureResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DiffRequest,
    DiffResponse,
    GetSchemaRequest,
    GetSchemaResponse,
    Provider,
    UpdateRequest,
    UpdateResponse,
)


class Echo(Provider):
    """Without preview, so that the engine itself passes inputs, unknown values among them, for outputs."""

    async def get_schema(self, request: GetSchemaRequest) -> GetSchemaResponse:
        return GetSchemaResponse(schema='{"name": "kubernetes", "version": "4.34.2"}')

    async def check_config(self, request: CheckRequest) -> CheckResponse:
        return CheckResponse(inputs=request.new_inputs)

    async def diff_config(self, request: DiffRequest) -> DiffResponse:
        return DiffResponse(changes=False)

    async def configure(self, request: ConfigureRequest) -> ConfigureResponse:
        return ConfigureResponse(accept_secrets=True)

    async def check(self, request: CheckRequest) -> CheckResponse:
        return CheckResponse(inputs=request.new_inputs)

    async def diff(self, request: DiffRequest) -> DiffResponse:
        return DiffResponse(changes=request.old_state != request.new_inputs)

    async def create(self, request: CreateRequest) -> CreateResponse:
        return CreateResponse(resource_id=request.name, properties=request.properties)

    async def update(self, request: UpdateRequest) -> UpdateResponse:
        return UpdateResponse(properties=request.news)

    async def delete(self, request: DeleteRequest) -> None:
        return None


if __name__ == "__main__":
    server.main(sys.argv, "4.34.2", Echo())
