"""The page on which doors are pressed."""

from fastapi import APIRouter

from simulator.world import World


def page_routes(world: World) -> APIRouter:
    return APIRouter()
