# source-twilio for Airbyte's platform: docker build --tag source-twilio .
FROM python:3.13-slim

# What the source calls itself: a build has no history to tell it from.
ARG VERSION=0.1.0
LABEL io.airbyte.name=source-twilio io.airbyte.version=$VERSION

WORKDIR /build
COPY pyproject.toml constraints.txt README.md CHANGELOG.md LICENSE ./
COPY tap_twilio tap_twilio
COPY target_twilio target_twilio
COPY schemas schemas
RUN SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION \
    pip install --no-cache-dir --disable-pip-version-check -c constraints.txt . && rm -r /build

RUN useradd --uid 1000 --create-home airbyte
USER airbyte
WORKDIR /home/airbyte
ENV AIRBYTE_ENTRYPOINT=source-twilio
ENTRYPOINT ["source-twilio"]
