# The worker's image with the packages of your models, from a directory with requirements.txt:
#
#   docker build -f deploy/models.Dockerfile -t predictq-worker:models DIRECTORY

ARG WORKER=predictq-worker
FROM ${WORKER}
USER 0
COPY requirements.txt /requirements.txt
RUN pip --python /venv/bin/python install --no-cache-dir -r /requirements.txt
USER 10001:10001
