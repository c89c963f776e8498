# Two images: `web` serves the site; `training` has TensorFlow too, for the worker that trains.
#   docker build --target web -t digitsite-web .
#   docker build --target training -t digitsite-training .
# Both run as an account without rights. `web` writes to no folder but /tmp.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS packages
COPY requirements-serve.lock /
RUN python -m venv /venv && \
    /venv/bin/python -m pip install --no-cache-dir --require-hashes --only-binary :all: -r /requirements-serve.lock

FROM packages AS training-packages
COPY requirements.txt /
RUN /venv/bin/python -m pip install --no-cache-dir --only-binary :all: -r /requirements.txt

FROM python:${PYTHON}-slim AS site
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
RUN useradd --uid 10001 --no-create-home --home-dir /tmp digitsite
WORKDIR /app
COPY manage.py ./
COPY deploy/healthcheck.py deploy/healthcheck.py
COPY digitsite digitsite
COPY locale locale
COPY recognizer recognizer
COPY static static
COPY templates templates

FROM site AS training
COPY --from=training-packages /venv /venv
COPY training training
# Two volumes: the downloaded data sets, and the checkpoints of trainings.
RUN python -m compileall -q . && \
    install --directory --owner digitsite .data reports
USER 10001
CMD ["python", "manage.py", "db_worker"]

# The last one is what `docker build .` makes.
FROM site AS web
COPY --from=packages /venv /venv
# Compiled now, because nothing can be written later. The key signs nothing.
RUN SECRET_KEY=only-while-the-image-is-built python manage.py collectstatic --no-input --verbosity 0 && \
    python -m compileall -q .
ENV PORT=8000
EXPOSE 8000
USER 10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "deploy/healthcheck.py"]
# gunicorn listens on PORT of all addresses and starts WEB_CONCURRENCY processes.
CMD ["python", "-m", "gunicorn", "--no-control-socket", "digitsite.wsgi"]
