# The image of the service and its migration. Targets: dev (adds the reloader), prod (the default, last).
# The target instrument is a separate image with the judge and locust, which run in the cluster.
FROM python:3.12-slim-bookworm AS python

FROM python AS dependencies
COPY --from=ghcr.io/astral-sh/uv:0.13.9 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/venv
WORKDIR /srv
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    uv sync --locked --no-install-project --only-group app

# Separate from the dependencies, so that dev and prod share their layer: it is built, pushed and pulled once.
FROM dependencies AS reloader
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    UV_PROJECT_ENVIRONMENT=/opt/reloader uv sync --locked --no-install-project --only-group reload

# Compiles the bytecode now, because the root filesystem of a running container is read-only.
# Removes the reloader, so that it cannot be started in production.
FROM python AS application
WORKDIR /srv
COPY app app
RUN rm app/reload.py && python -m compileall -q --invalidation-mode unchecked-hash app

FROM python AS runtime
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv
# A number, because the kubelet cannot verify that a named user is not root.
USER 10001:10001
EXPOSE 8000
# Exec form: uvicorn is PID 1 and receives SIGTERM itself.
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]

# The same command; the dev overlay runs the reloader. The user owns the code, so that live update can replace it.
FROM runtime AS dev
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=reloader /opt/reloader /opt/reloader
ENV PYTHONPATH=/opt/reloader/lib/python3.12/site-packages
COPY --chown=10001:10001 app app

FROM dependencies AS instrument-dependencies
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    UV_PROJECT_ENVIRONMENT=/opt/instrument uv sync --locked --no-install-project --only-group instrument

FROM python AS instrument-code
WORKDIR /srv
COPY drydock drydock
COPY loadtest loadtest
RUN python -m compileall -q --invalidation-mode unchecked-hash drydock loadtest

# The argument is the module to run: `drydock.judge`, `locust`, `loadtest`. A new entry point also resets the service's command.
FROM runtime AS instrument
ENV PATH=/opt/instrument/bin:$PATH
COPY --from=instrument-dependencies /opt/instrument /opt/instrument
COPY --from=instrument-code /srv/drydock drydock
COPY --from=instrument-code /srv/loadtest loadtest
ENTRYPOINT ["python", "-m"]

FROM runtime AS prod
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=application /srv/app app
ARG SERVICE_VERSION=dev
ENV SERVICE_VERSION=$SERVICE_VERSION
