# The image: `worker` with the drivers of all brokers, and the example application. What it holds is named in requirements-all.lock.

FROM python:3.13.7-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore

# What runs, in an environment without an installer.
COPY requirements-all.lock /build/
RUN python -m venv --without-pip /opt/worker \
    && pip --python /opt/worker/bin/python install --require-hashes --only-binary :all: -r /build/requirements-all.lock

# What builds the wheel, in an environment that stays behind.
COPY requirements.lock /build/
RUN python -m venv --without-pip /build/tools \
    && pip --python /build/tools/bin/python install --require-hashes -r /build/requirements.lock

COPY pyproject.toml README.md LICENSE /build/source/
COPY transports /build/source/transports
COPY worker /build/source/worker
RUN cd /build/source \
    && /build/tools/bin/python -m hatchling build -t wheel -d /build/dist \
    && pip --python /opt/worker/bin/python install --no-deps --no-index /build/dist/*.whl


FROM python:3.13.7-slim-bookworm
LABEL org.opencontainers.image.title="Command Worker" \
      org.opencontainers.image.description="Takes commands over HTTP or Python, puts them on a queue, and runs their handlers without losing one." \
      org.opencontainers.image.licenses="MIT"

# A fixed number: a cluster that forbids root can tell, and volumes keep their owner.
RUN groupadd --gid 10001 worker \
    && useradd --uid 10001 --gid worker --no-create-home --home-dir /app --shell /usr/sbin/nologin worker \
    && install -d -o worker -g worker /app /app/var \
    && install -d -o worker -g worker -m 0700 /var/lib/worker

COPY --from=build /opt/worker /opt/worker
COPY deploy/image/healthy.py deploy/image/with_root_token.py /usr/local/lib/worker/
COPY examples /app/examples
COPY worker.toml /app/worker.toml

WORKDIR /app
USER 10001:10001
ENV PATH=/opt/worker/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WORKER_WORKER__HEALTH_PORT=8081
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-S", "/usr/local/lib/worker/healthy.py"]

ENTRYPOINT ["worker"]
CMD ["run"]
