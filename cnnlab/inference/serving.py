"""A trained network over HTTP: POST an image, get JSON. `python -m cnnlab serve RUN`.

GET  /          what the network is: run, classes, accuracy
POST /predict   the bytes of an image, or a form with files; ?top=5, ?fit=crop, pad, squash or crops for images that are
                not square. Where the network has a reference, each answer has an `ood_score`: above 1 the image is
                unlike the training images.

Limits and sentences are those of the app. Answers: 200 with predictions, 400 for what is no image, 403 for a name that
this server does not have and for pages of other sites, 404, 405, 413 for an image that is too large.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cnnlab.datasets.preprocessing import FRAMINGS, Framing
from cnnlab.guard import LOOPBACK, Guard, answer_headers, names_of
from cnnlab.inference.classifier import Classifier, Prediction, classify, top_classes
from cnnlab.inference.reference import ood_function
from cnnlab.limits import Limits

MOST_FILES_SENT = 100
SERVED_CLASSES = 5
SERVE_ADVICE = "Whoever runs it can add the name: --allow-host NAME."


def application(
    classifier: Classifier, limits: Limits, names: frozenset[str] = LOOPBACK, fit: Framing | None = None
) -> Starlette:
    """The ASGI application of one network, which is asked by these names; `fit` unless a request says otherwise."""
    one_at_a_time = asyncio.Lock()
    best = classifier.run.best_epoch()
    judge = ood_function(classifier)

    async def describe(_: Request) -> JSONResponse:
        return JSONResponse(
            {
                "run": classifier.run.id,
                "network": classifier.run.network.name,
                "data": classifier.data.title,
                "classes": classifier.data.classes,
                "validation_accuracy": best and best["validation_accuracy"],
                "use": "POST an image to /predict",
            }
        )

    async def predict(request: Request) -> JSONResponse:
        top = whole_number(request.query_params.getlist("top") or [str(SERVED_CLASSES)])
        framing = framing_of(request.query_params.getlist("fit")) or fit
        files = await files_of(request, limits)
        async with one_at_a_time:
            found = await asyncio.to_thread(answers, files, top, framing)
        status = 200 if any("top" in one for one in found) else 400
        return JSONResponse({"run": classifier.run.id, "predictions": found}, status)

    def answers(files: list[tuple[str, bytes]], top: int, framing: Framing | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        given = [(name, partial(bytes, data)) for name, data in files]
        for one in classify(given, [classifier], framing=framing):
            if isinstance(one, Prediction):
                best = top_classes(one.probabilities[0], classifier.data.classes, top)
                score = {"ood_score": float(judge(one.inputs[0][None])[0])} if judge else {}
                top_list = [{"class": name, "probability": p} for name, p in best]
                found.append({"image": one.name, "top": top_list, **score})
            else:
                found.append({"image": one.name, "error": one.reason})
        return found

    routes = [Route("/", describe), Route("/predict", predict, methods=["POST"])]
    guard = Middleware(Guard, names=names, advice=SERVE_ADVICE, headers=answer_headers, refuse=refused)
    return Starlette(routes=routes, middleware=[guard], exception_handlers={HTTPException: told})


def refused(reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, 403)


async def told(_: Request, error: Any) -> JSONResponse:
    return JSONResponse({"error": error.detail}, error.status_code)


def whole_number(texts: list[str]) -> int:
    if len(texts) > 1:
        raise HTTPException(400, f"top is given {len(texts)} times; give it once.")
    text = texts[0]
    if not re.fullmatch("[0-9]{1,9}", text) or not int(text):
        raise HTTPException(400, f"top must be a whole number from 1, not {text[:40]!r}.")
    return int(text)


def framing_of(texts: list[str]) -> Framing | None:
    """How a request wants an image to be fitted; None where it does not say."""
    if not texts:
        return None
    found = next((one for one in FRAMINGS if texts == [one]), None)
    if found is None:
        raise HTTPException(400, f"fit must be one of {', '.join(FRAMINGS)}, given once, not {texts[0][:40]!r}.")
    return found


async def files_of(request: Request, limits: Limits) -> list[tuple[str, bytes]]:
    """The images of a request by name: its body, or the files of its form."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        too_long = int(request.headers.get("content-length") or 0) > limits.image_bytes * MOST_FILES_SENT
        if too_long:
            raise HTTPException(
                413, f"Up to {limits.image_bytes * MOST_FILES_SENT / 1e6:g} MB are accepted in one form."
            )
        async with request.form(max_files=MOST_FILES_SENT) as form:
            files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
            if not files:
                raise HTTPException(400, "The form holds no file; send an image in it.")
            return [(file.filename or "image", await file.read(limits.image_bytes + 1)) for file in files]
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limits.image_bytes:
            raise HTTPException(413, f"Images of up to {limits.image_bytes / 1e6:g} MB are accepted.")
    if not body:
        raise HTTPException(400, "The request is empty; send the bytes of an image.")
    return [("image", bytes(body))]


def serve(
    classifier: Classifier, host: str, port: int, allowed: Iterable[str] = (), fit: Framing | None = None
) -> None:
    """Answer until interrupted; to the names of `host`, and to those `allowed` besides."""
    import uvicorn

    app = application(classifier, Limits.from_environment(), names_of(host, allowed), fit)
    uvicorn.run(app, host=host, port=port, log_level="warning")
