# gansmith for a CPU. Build: docker build -t gansmith .   Train: docker run --rm -v "$PWD:/work" gansmith train digits --minutes 3
FROM python:3.12-slim
WORKDIR /opt/gansmith
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md ./
COPY gansmith gansmith
RUN pip install --no-cache-dir torch --index-url https://download.pytorch.org/whl/cpu \
 && pip install --no-cache-dir -c constraints.txt ".[audio,onnx,parquet,text,tiff,video]"
RUN useradd --create-home maker && mkdir /work && chown maker /work
USER maker
WORKDIR /work
ENTRYPOINT ["gansmith"]
