#!/usr/bin/env bash
# Makes the Go code of spark_connect.proto. protoc comes from PyPI, its plugins from go.mod.
set -euo pipefail
cd "$(dirname "$0")"
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
python3 -m venv "$bin/venv"
"$bin/venv/bin/pip" install --quiet --disable-pip-version-check grpcio-tools==1.85.1
go build -o "$bin" google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
PATH="$bin:$PATH" "$bin/venv/bin/python" -m grpc_tools.protoc -I . --go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative spark_connect.proto
gofmt -w ./*.pb.go
