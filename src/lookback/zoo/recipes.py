"""Every shipped model and how it is made: what `python -m lookback train NAME` does."""

from lookback.zoo import image_recipes, translation_recipes
from lookback.zoo.recipe import Recipe

RECIPES: dict[str, Recipe] = translation_recipes.RECIPES | image_recipes.RECIPES
