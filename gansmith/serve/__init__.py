"""Trained models over HTTP, and the studio in the browser (extra [serve]).

`app` builds the ASGI application of what `hall` holds: a worker process for each model (`workers`, `worker`), jobs, files and, in the
studio, trainings (`trainings`) and live games (`play`). The core never imports this package.
"""
