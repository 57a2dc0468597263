"""The backend `kserve`: a model on a server that speaks the Open Inference Protocol v2, over HTTP or gRPC."""
