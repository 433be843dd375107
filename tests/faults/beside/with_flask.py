"""An order and its command in one transaction, beside Flask; loaded before the server forks, and used before, too."""

from __future__ import annotations

import os

from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from tests.faults.beside.shop import INSERT, Fulfil, Refused, app, refuse
from worker import Client, Unavailable

engine = create_engine(os.environ["SHOP_DATABASE"].replace("postgresql://", "postgresql+psycopg://"))
os.register_at_fork(after_in_child=lambda: engine.dispose(close=False))
client = Client.sync(app)
web = Flask("shop")

with Session(engine) as first, first.begin():
    first.execute(text(INSERT), {"number": 0})
    client.send(Fulfil(0), session=first)


@web.post("/orders/<int:number>")
def order(number: int) -> tuple[str, int]:
    try:
        with Session(engine) as session, session.begin():
            session.execute(text(INSERT), {"number": number})
            client.send(Fulfil(number), session=session)
            refuse(number)
    except IntegrityError:
        return "", 409
    except Refused:
        return "", 422
    except (Unavailable, OperationalError):
        return "", 503
    return "", 202
