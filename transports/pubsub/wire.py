"""Requests and answers as plain protobuf, and the calls that carry them: half the processor time of their wrappers."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf import empty_pb2

from transports.pubsub.library import types


def _plain(wrapper: Any) -> Any:
    return type(wrapper.pb(wrapper()))


Topic, Subscription, Message = map(_plain, (types.Topic, types.Subscription, types.PubsubMessage))
GetTopic, GetSubscription = _plain(types.GetTopicRequest), _plain(types.GetSubscriptionRequest)
Publish, Published = _plain(types.PublishRequest), _plain(types.PublishResponse)
Pull, Pulled = _plain(types.PullRequest), _plain(types.PullResponse)
Acknowledge, ModifyDeadline = _plain(types.AcknowledgeRequest), _plain(types.ModifyAckDeadlineRequest)


class Method(NamedTuple):
    """A call of the service.

    Attributes:
        path: its name on the wire.
        answer: the class of its answer.
        routed: the request's field by which the service finds the server for it.
    """

    path: str
    answer: Any
    routed: str


CREATE_TOPIC = Method("/google.pubsub.v1.Publisher/CreateTopic", Topic, "name")
GET_TOPIC = Method("/google.pubsub.v1.Publisher/GetTopic", Topic, "topic")
PUBLISH = Method("/google.pubsub.v1.Publisher/Publish", Published, "topic")
CREATE_SUBSCRIPTION = Method("/google.pubsub.v1.Subscriber/CreateSubscription", Subscription, "name")
GET_SUBSCRIPTION = Method("/google.pubsub.v1.Subscriber/GetSubscription", Subscription, "subscription")
PULL = Method("/google.pubsub.v1.Subscriber/Pull", Pulled, "subscription")
ACKNOWLEDGE = Method("/google.pubsub.v1.Subscriber/Acknowledge", empty_pb2.Empty, "subscription")
MODIFY_DEADLINE = Method("/google.pubsub.v1.Subscriber/ModifyAckDeadline", empty_pb2.Empty, "subscription")
