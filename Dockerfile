# syntax=docker/dockerfile:1
# The image of okrsync: the program in a virtual environment, the example workspace, nothing to build with.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
# The one lock pins everything, the tools of development too. Only wheels whose hash it names get into /wheels; what is
# installed afterwards comes from there and from nowhere else.
COPY requirements.lock ./
RUN pip download --quiet --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
      --dest /wheels -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY config config
COPY connectors connectors
COPY mappings mappings
RUN pip wheel --quiet --no-cache-dir --disable-pip-version-check --no-index --find-links /wheels --no-deps \
      --wheel-dir /wheels . \
 && python -m venv --without-pip /opt/okrsync \
 && pip --python /opt/okrsync/bin/python install --quiet --no-cache-dir --disable-pip-version-check \
      --no-index --find-links /wheels okrsync

FROM python:3.11-slim-bookworm
COPY --from=build /opt/okrsync /opt/okrsync
# The example; mount your own over it, read-only.
COPY config /workspace/config
COPY connectors /workspace/connectors
COPY mappings /workspace/mappings
# A numeric user, so that Kubernetes can tell that it is not root.
RUN mkdir /state && chown 10001:10001 /state
USER 10001:10001
# /state holds the database and the reports; nothing else is ever written. A container's loopback cannot be reached from
# outside, hence the address: publish the port on the host's loopback, or fence it off with a network policy.
ENV PATH=/opt/okrsync/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    OKRSYNC_WORKSPACE=/workspace \
    OKRSYNC_STATE=/state \
    OKRSYNC_LISTEN=0.0.0.0:9464
WORKDIR /workspace
VOLUME /state
EXPOSE 9464
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['OKRSYNC_LISTEN'].rpartition(':')[2]), timeout=5); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["okrsync"]
CMD ["daemon"]
