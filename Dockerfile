# ackd alone in an image: a static program with root certificates and time zones in it, and nothing else.
#
#     docker build --tag ackd .
#     docker run --detach --name ackd --publish 127.0.0.1:3000:3000 --env-file secrets.env \
#       --volume ackd:/var/lib/ackd --volume "$PWD/ackd.toml:/etc/ackd/ackd.toml:ro" ackd
#
# In that ackd.toml listen = "0.0.0.0:3000", no `store`, and secrets as { env = "…" }.
FROM rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo build --release --locked --features bundled-roots,bundled-tz && install -d -m 700 /state

FROM scratch
COPY --from=build /src/target/release/ackd /usr/bin/ackd
# The store is written by a user who is nobody else, also where a volume is made of it.
COPY --from=build --chown=10001:10001 /state /var/lib/ackd
ENV STATE_DIRECTORY=/var/lib/ackd
WORKDIR /var/lib/ackd
USER 10001:10001
EXPOSE 3000
ENTRYPOINT ["/usr/bin/ackd"]
CMD ["run", "--config", "/etc/ackd/ackd.toml"]
