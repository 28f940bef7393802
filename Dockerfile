# source-twilio for Airbyte's platform. `make image` builds the wheel first, and then this.
FROM python:3.13-slim-trixie

COPY requirements.txt dist/*.whl /tmp/tap/
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: \
        --require-hashes --requirement /tmp/tap/requirements.txt && \
    pip install --no-cache-dir --disable-pip-version-check --no-index --no-deps /tmp/tap/*.whl && \
    rm -r /tmp/tap && \
    useradd --uid 1000 --create-home airbyte

USER airbyte
WORKDIR /home/airbyte
ENV AIRBYTE_ENTRYPOINT=source-twilio
ENTRYPOINT ["source-twilio"]

# Last, as it changes with each build: what the source calls itself.
ARG VERSION
LABEL io.airbyte.name=source-twilio \
      io.airbyte.version=$VERSION \
      org.opencontainers.image.title=source-twilio \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.licenses=Apache-2.0
