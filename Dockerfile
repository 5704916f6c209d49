# s4tok in a container, and nothing of the host but the folder it is given:
#
#     docker build --tag s4tok .                                  # for a CPU
#     docker build --tag s4tok --build-arg TORCH=cu126 .          # for a GPU; then run it with --gpus all
#     docker run --rm --volume "$PWD":/data s4tok segment scan.ply --labels "wall,floor,chair"
#
# The image holds pycut-pursuit: whoever passes it on does so under the GPL-3.0 (NOTICE says how to do without).
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS wheel
WORKDIR /s4tok
COPY . .
RUN pip install --no-cache-dir build && python -m build --wheel --outdir /dist

FROM python:${PYTHON}-slim
ARG TORCH=cpu
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libegl1 libgl1 libgomp1 libusb-1.0-0 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=wheel /dist /dist
RUN pip install --no-cache-dir uv \
    && uv pip install --system --no-cache --torch-backend="${TORCH}" /dist/*.whl \
    && rm -rf /dist
RUN useradd --create-home --uid 1000 s4tok
USER 1000
WORKDIR /data
ENTRYPOINT ["s4tok"]
CMD ["--help"]
