"""An order and its command in one transaction, beside FastAPI."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from tests.faults.beside.shop import INSERT, Fulfil, Refused, app, refuse
from worker import Client

engine = create_async_engine(
    os.environ["SHOP_DATABASE"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=8
)


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncIterator[None]:
    async with Client(app) as client:
        api.state.client = client
        yield


api = FastAPI(lifespan=lifespan)


@api.post("/orders/{number}")
async def order(number: int, request: Request) -> JSONResponse:
    client: Client = request.app.state.client
    try:
        async with AsyncSession(engine) as session, session.begin():
            await session.execute(text(INSERT), {"number": number})
            await client.send(Fulfil(number), session=session)
            refuse(number)
    except IntegrityError:
        return JSONResponse({}, 409)
    except Refused:
        return JSONResponse({}, 422)
    return JSONResponse({}, 202)
