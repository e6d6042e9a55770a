# Catchment's command, for a pipeline that is mounted, or copied in an image that is made FROM this one, at /pipeline:
#
#     docker run … -v ./my-pipeline:/pipeline:ro -v my-data:/data catchment worker --dir /data
#
# No container engine has built this. test/integration/dockerfile.test.ts runs its steps as plain commands in an empty folder,
# which is why none of them names an absolute path.

# DuckDB's and Temporal's native parts need glibc, which Alpine has not.
FROM node:20.20-bookworm-slim AS build
WORKDIR /opt/catchment
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/
COPY src src
COPY examples examples
RUN npm run build
# Temporal's client asks the system whom to trust, and a slim image knows nobody: Node's own list will do.
RUN node -p "require('node:tls').rootCertificates.join('\n')" > ca-certificates.crt
RUN mkdir data

FROM node:20.20-bookworm-slim AS modules
WORKDIR /opt/catchment
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# Temporal's package brings its native part for five platforms.
RUN cd node_modules/@temporalio/core-bridge/releases && find . -mindepth 1 -maxdepth 1 ! -name "$(node -p "({ x64: 'x86_64', arm64: 'aarch64' })[process.arch]")-unknown-linux-gnu" -exec rm -r {} +

FROM node:20.20-bookworm-slim AS catchment
WORKDIR /opt/catchment
COPY package.json LICENSE ./
COPY examples examples
COPY --from=modules /opt/catchment/node_modules node_modules
COPY --from=build /opt/catchment/dist dist
COPY --from=build /opt/catchment/ca-certificates.crt /etc/ssl/certs/
# A volume that is made for it takes over whose it is.
COPY --from=build --chown=node:node /opt/catchment/data /data
VOLUME /data
USER node
WORKDIR /pipeline
# worker and poll finish what is under way then. There is no HEALTHCHECK: whether all is well is not for one process to say.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/catchment/dist/cli/main.js"]
CMD ["--help"]
