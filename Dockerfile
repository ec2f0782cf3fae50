# gomosaic in JupyterLab: docker build -t gomosaic . && docker run -p 8888:8888 gomosaic
# Cells are compiled where they run, so the image has Go, g++, the clone and the caches that `make setup` fills.

FROM golang:1.26-bookworm AS go

FROM debian:bookworm-slim AS base
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates g++ make python3 python3-venv && rm -rf /var/lib/apt/lists/*
COPY --from=go /usr/local/go /usr/local/go
RUN useradd --create-home --uid 1000 --shell /bin/bash gopher
USER gopher
ENV PATH=/usr/local/go/bin:$PATH GOTOOLCHAIN=local PIP_NO_CACHE_DIR=1
WORKDIR /home/gopher/gomosaic

FROM base AS build
COPY --chown=gopher . .
RUN make setup

FROM base
COPY --from=build --chown=gopher /home/gopher /home/gopher
ENV PATH=/home/gopher/gomosaic/.venv/bin:$PATH
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--notebook-dir=notebooks"]
