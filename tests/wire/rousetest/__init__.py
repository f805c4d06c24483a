# SPDX-License-Identifier: BSD-2-Clause
"""What wire tests are made of: gateway, witness, crowd, raw clients, hooks, networks."""

from rousetest.gateway import Gateway
from rousetest.hook import Hook, Reply
from rousetest.net import Namespace, free_port
from rousetest.raw import Answer, BadAnswer, Connection, parse_answers, play, random_cuts
from rousetest.tools import StaticProxy, Witness, crowd, start_crowd

__all__ = ["Answer", "BadAnswer", "Connection", "Gateway", "Hook", "Namespace", "Reply",
           "StaticProxy", "Witness",
           "crowd", "free_port", "parse_answers", "play", "random_cuts", "start_crowd"]
