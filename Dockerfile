# syntax=docker/dockerfile:1
#
# One image for both ends of a job: the launcher (`targetsplit run ...`) and the Beam workers that a Flink, Spark or
# Dataflow runner starts. Both have the same Python, the same Beam and the same package, so that nothing is staged or
# installed when a worker starts.
#
#   docker build -t targetsplit .
#   docker run --rm -v "$PWD:/work" -u "$(id -u):$(id -g)" targetsplit targetsplit run spec.yaml -o runs/first
#   ... -- --runner=FlinkRunner --environment_type=DOCKER --environment_config=targetsplit
#
# Beam's version stands in three places that a test (tests/test_packaging.py) keeps equal: here, requirements.lock and,
# as a range, pyproject.toml. The boot program speaks the protocol of its own version's SDK.

# Beam's own image gives its boot program (a static binary, with its licences) and nothing else.
FROM apache/beam_python3.11_sdk:2.77.0 AS beam

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
# Not a venv without pip: the boot program asks pip for the version of Beam.
RUN python -m venv /opt/targetsplit
COPY requirements.lock ./
# Only wheels, only those in the lock: a changed file on an index ends the build. The dependencies come before the
# code, so that a change of code does not install them again.
RUN /opt/targetsplit/bin/pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY pipelines pipelines
COPY splitting splitting
COPY validation validation
RUN /opt/targetsplit/bin/pip install --no-deps . \
 && /opt/targetsplit/bin/pip check \
 && /opt/targetsplit/bin/python -m compileall -q /opt/targetsplit/lib

FROM python:3.11-slim
LABEL org.opencontainers.image.title="targetsplit" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY --from=build /opt/targetsplit /opt/targetsplit
COPY --chmod=755 deploy/docker/entrypoint.sh /usr/local/bin/targetsplit-entrypoint

# The boot program would make a fresh venv for each worker, which would not see ours and which a normal user may not
# write; this variable has it use the `python` that is first on the PATH: ours.
# HOME and TMPDIR are writable for whatever user the container is told to run as (-u, OpenShift).
ENV PATH=/opt/targetsplit/bin:$PATH \
    RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    TMPDIR=/tmp

RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin targetsplit \
 && mkdir /work && chown targetsplit /work \
 && test -x /opt/apache/beam/boot
USER 10001
WORKDIR /work
ENTRYPOINT ["targetsplit-entrypoint"]
